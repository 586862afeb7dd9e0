// Predictions beside what was measured or published: how far off they are.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/predict/predictions.h"
#include "harness/results/published.h"
#include "harness/results/sweeps.h"

namespace flash_steps {

/// What predictions are held against: the published table, and the sixteen's own runs in docs/results.
struct Evidence {
  Published published;
  std::vector<ResultsFile> files;
  std::vector<Sweep> sweeps;  ///< pointing into the files

  Evidence();
  Evidence(const Evidence&) = delete;
  Evidence& operator=(const Evidence&) = delete;
};

/// One figure of each kind, in percent of FlashAttention-2.
struct Compared {
  std::string kernel;
  std::string config;  ///< of the prediction
  int seqlen;
  double measured;
  double predicted;
  double baseline;
  bool is_calibrated;  ///< one of the rows that the model's fitted figures are from
};

/// Of 01, 02, 09 and 16: on the H100 their first configs at seqlen 4096 and at the shortest of the published lengths;
/// on the A100 what was published of them at 4096, from which the one figure is that Ampere does not share with Hopper.
bool is_calibrated(const std::string& kernel, const std::string& config, const std::string& card, int seqlen);

/// Each run of a GPU of ours whose config was predicted for this card: all configs that were timed there.
std::vector<Compared> against_runs(const Card& card, const Predictions& predictions, const std::vector<Sweep>& sweeps,
                                   const std::string& without = "");

/// A published column, whose figures are of each step's best config: with the best that is predicted.
std::vector<Compared> against_published(const Card& card, const Predictions& predictions, const Published& published,
                                        const std::string& without = "");

/// Of the kernel's configs at the table's length the highest predicted percentage; nothing if there is none.
std::optional<double> best_percent(const Predictions& predictions, const Card& card, const std::string& kernel);

/// Of several rows.
struct Errors {
  int rows = 0;
  double mean = 0;  ///< of the absolute differences, in points
  double most = 0;
  double bias = 0;  ///< mean of predicted − measured
  double baseline_mean = 0;
  double baseline_most = 0;
  double spearman = 0;  ///< rank correlation of predicted and measured; 0 for fewer than three rows
};

Errors errors_of(const std::vector<Compared>& rows);

/// Spearman's rank correlation; ties share the mean of their ranks. 0 where one side does not vary.
double rank_correlation(const std::vector<double>& a, const std::vector<double>& b);

/// The rows in the first config of each kernel.
std::vector<Compared> first_configs(const std::vector<Compared>& rows);

}  // namespace flash_steps
