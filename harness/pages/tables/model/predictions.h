// The tables of docs/method/prediction.md: predictions beside what was measured or published.
#pragma once

#include <string>
#include <vector>

#include "harness/predict/validation.h"

namespace flash_steps {

/// All that the tables are made of.
struct PredictionData {
  Predictions predictions;
  Published published;
  std::vector<Sweep> sweeps;  ///< pointing into files that must outlive it
};

/// The errors by card and length: the model's, and beside them the formula's that needs no simulation.
std::string render_prediction_errors(const PredictionData& data);

/// What was aimed at before the model was made, and what came of it.
std::string render_prediction_aims(const PredictionData& data);

/// Each step at seqlen 4096 on each card: measured or published, and predicted. Rows that the model was fitted on are
/// marked.
std::string render_predictions(const PredictionData& data);

/// How well the configs of a step are ranked.
std::string render_prediction_ranks(const PredictionData& data);

/// The errors with one mechanism off at a time.
std::string render_ablations(const PredictionData& data);

/// What the warps of some steps do on an H100 at seqlen 4096, in the first config of each, as predicted: cycles, the
/// busiest pipe, and the shares of what they wait for. Throws std::runtime_error if a step was not predicted.
std::string render_predicted_stalls(const std::vector<const Kernel*>& steps, const Predictions& predictions);

/// The model's figures with their sources.
std::string render_timings();

}  // namespace flash_steps
