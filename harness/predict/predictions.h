// Predictions in a file, docs/results/predictions*.json, of schema "flash-steps/predictions/1".
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/contract/chapter.h"
#include "harness/model/fa2_speed.h"
#include "harness/predict/predict.h"
#include "harness/results/results.h"

namespace flash_steps {

/// What is kept of a prediction.
struct PredictedRun {
  std::string kernel;
  std::string config;
  std::string card;
  std::string without;  ///< the name of an ablation; empty: the model as it is
  Problem problem;
  double sm_clock_mhz = 0;
  int ctas_per_sm = 0;
  double cycles_of_tile = 0;
  double tflops = 0;
  double baseline_tflops = 0;
  std::map<std::string, double> busy;    ///< by pipe, the share of an SM's cycles in which it worked
  std::map<std::string, double> stalls;  ///< by name_of(Stall), shares of the cycles of warps
  std::optional<double> percent;         ///< of FlashAttention-2 at the same clock
  std::optional<double> baseline_percent;
};

struct Predictions {
  Meta meta;
  std::vector<PredictedRun> runs;
};

PredictedRun stored_form(const Prediction& prediction, const std::string& without, const std::optional<Fa2Speed>& fa2);

/// Throws std::runtime_error that names the file and the field.
Predictions read_predictions(const std::filesystem::path& file);

/// What docs/results has: predictions.json, all configs at the table's length; predictions_lengths.json, the other
/// lengths; predictions_without.json, with mechanisms of the model off. The last two may be missing; what
/// several have counts once.
Predictions read_stored_predictions();

/// The same of a chapter that computes other problems than the published: all files of its folder in docs/results whose
/// names begin with "predictions". None if there is none.
Predictions read_stored_predictions(const Chapter& chapter);

/// As write_file() does.
void write_predictions(const Predictions& predictions, const std::filesystem::path& file);

}  // namespace flash_steps
