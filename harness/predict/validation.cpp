#include "harness/predict/validation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "harness/contract/registry.h"
#include "harness/results/folder.h"

namespace flash_steps {
namespace {

constexpr int shortest = 512;

const std::string& first_config(const std::string& kernel) {
  static std::map<std::string, std::string> first;
  std::string& config = first[kernel];
  if (config.empty()) config = configs_of(*find_kernel(kernel)).front();
  return config;
}

std::vector<double> ranks_of(const std::vector<double>& values) {
  std::vector<double> ranks;
  for (const double value : values) {
    const auto below = std::count_if(values.begin(), values.end(), [&](double other) { return other < value; });
    const auto equal = std::count(values.begin(), values.end(), value);
    ranks.push_back(static_cast<double>(below) + static_cast<double>(equal - 1) / 2);
  }
  return ranks;
}

const Run* run_of(const PredictedRun& predicted, const Sweep& sweep) {
  for (const ResultsFile* file : sweep.files) {
    for (const Run& run : file->results.runs) {
      const Problem& problem = run.problem;
      if (run.kernel == predicted.kernel && run.config == predicted.config && run.timing &&
          problem.dtype == sweep.dtype && problem.seqlen == predicted.problem.seqlen &&
          problem.batch == predicted.problem.batch && problem.heads == predicted.problem.heads &&
          run.baselines.contains(Baseline::fa2)) {
        return &run;
      }
    }
  }
  return nullptr;
}

}  // namespace

Evidence::Evidence()
    : published(read_published()),
      files(files_of(chapter(sixteen), read_table_folder(stored_results(), published).files)),
      sweeps(sweeps_of(files, published)) {}

bool is_calibrated(const std::string& kernel, const std::string& config, const std::string& card, int seqlen) {
  const bool is_of_four =
      kernel == "01_base" || kernel == "02_swizzling" || kernel == "09_register_moves" || kernel == "16_static_stride";
  if (card == "a100") return is_of_four && seqlen == table_seqlen;
  return is_of_four && card == "h100" && (seqlen == table_seqlen || seqlen == shortest) &&
         config == first_config(kernel);
}

std::vector<Compared> against_runs(const Card& card, const Predictions& predictions, const std::vector<Sweep>& sweeps,
                                   const std::string& without) {
  std::vector<Compared> rows;
  for (const Sweep& sweep : sweeps) {
    if (sweep.gpu != card.gpu || sweep.dtype != Dtype::fp16) continue;
    for (const PredictedRun& predicted : predictions.runs) {
      if (predicted.card != card.name || predicted.without != without || !predicted.percent) continue;
      const Run* const run = run_of(predicted, sweep);
      if (run == nullptr) continue;
      rows.push_back({predicted.kernel, predicted.config, predicted.problem.seqlen,
                      run->baselines.at(Baseline::fa2).shown_percent(), *predicted.percent, *predicted.baseline_percent,
                      is_calibrated(predicted.kernel, predicted.config, card.name, predicted.problem.seqlen)});
    }
  }
  return rows;
}

std::vector<Compared> against_published(const Card& card, const Predictions& predictions, const Published& published,
                                        const std::string& without) {
  std::vector<Compared> rows;
  for (const PublishedColumn& column : published.columns) {
    if (column.gpu != card.gpu || column.is_mean) continue;
    for (const auto& [kernel, percent] : column.percent) {
      const PredictedRun* best = nullptr;
      double best_baseline = 0;
      for (const PredictedRun& run : predictions.runs) {
        if (run.kernel != kernel || run.card != card.name || run.without != without ||
            run.problem.seqlen != table_seqlen || !run.percent) {
          continue;
        }
        if (best == nullptr || *run.percent > *best->percent) best = &run;
        best_baseline = std::max(best_baseline, *run.baseline_percent);
      }
      if (best != nullptr) {
        rows.push_back({kernel, best->config, table_seqlen, percent, *best->percent, best_baseline,
                        is_calibrated(kernel, best->config, card.name, table_seqlen)});
      }
    }
  }
  return rows;
}

std::optional<double> best_percent(const Predictions& predictions, const Card& card, const std::string& kernel) {
  std::optional<double> best;
  for (const PredictedRun& run : predictions.runs) {
    if (run.kernel != kernel || run.card != card.name || !run.without.empty() || run.problem.seqlen != table_seqlen)
      continue;
    if (run.percent) best = std::max(best.value_or(0), *run.percent);
  }
  return best;
}

Errors errors_of(const std::vector<Compared>& rows) {
  Errors errors;
  errors.rows = static_cast<int>(rows.size());
  if (rows.empty()) return errors;
  std::vector<double> measured, predicted;
  for (const Compared& row : rows) {
    const double error = row.predicted - row.measured, baseline = std::abs(row.baseline - row.measured);
    errors.mean += std::abs(error) / errors.rows;
    errors.most = std::max(errors.most, std::abs(error));
    errors.bias += error / errors.rows;
    errors.baseline_mean += baseline / errors.rows;
    errors.baseline_most = std::max(errors.baseline_most, baseline);
    measured.push_back(row.measured);
    predicted.push_back(row.predicted);
  }
  errors.spearman = rank_correlation(measured, predicted);
  return errors;
}

double rank_correlation(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() < 3) return 0;
  const std::vector<double> of_a = ranks_of(a), of_b = ranks_of(b);
  const double middle = static_cast<double>(a.size() - 1) / 2;
  double both = 0, alone_a = 0, alone_b = 0;
  for (size_t i = 0; i < a.size(); i++) {
    both += (of_a[i] - middle) * (of_b[i] - middle);
    alone_a += (of_a[i] - middle) * (of_a[i] - middle);
    alone_b += (of_b[i] - middle) * (of_b[i] - middle);
  }
  return alone_a == 0 || alone_b == 0 ? 0 : both / std::sqrt(alone_a * alone_b);
}

std::vector<Compared> first_configs(const std::vector<Compared>& rows) {
  std::vector<Compared> first;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(first),
               [](const Compared& row) { return row.config == first_config(row.kernel); });
  return first;
}

}  // namespace flash_steps
