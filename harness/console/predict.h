// What --predict prints.
#pragma once

#include <iosfwd>
#include <vector>

#include "harness/predict/predictions.h"

namespace flash_steps {

/// For each card a line a config, the fastest first; and for a single prediction where the cycles go.
void print_predictions(std::ostream& out, const std::vector<Prediction>& predictions, const Predictions& stored);

/// The cycles that warps stand at each source line, and for what: as a profiler would show on that card.
void print_predicted_lines(std::ostream& out, const Kernel& kernel, const Predictor& predictor, const Variant& variant,
                           const Card& card);

}  // namespace flash_steps
