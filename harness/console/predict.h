// What --predict prints.
#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "harness/predict/predictions.h"
#include "harness/predict/validation.h"

namespace flash_steps {

/// A sentence for each card: how far its predictions in docs/results are off, where there is something to compare them
/// with. Those of the sixteen, or of the chapter where it has predictions of its own.
using Uncertainties = std::map<const Card*, std::string>;
Uncertainties uncertainties_of(const std::vector<const Card*>& cards, const Evidence& evidence, const Chapter& of);

/// For each card a line a config, the fastest first; and for a single prediction where the cycles go.
void print_predictions(std::ostream& out, const std::vector<Prediction>& predictions, const Predictions& stored,
                       const Uncertainties& uncertainties);

/// The cycles that warps stand at each source line, and for what: as a profiler would show on that card.
void print_predicted_lines(std::ostream& out, const Kernel& kernel, const Predictor& predictor, const Variant& variant,
                           const Card& card, const Uncertainties& uncertainties);

}  // namespace flash_steps
