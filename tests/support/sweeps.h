// Sweeps with given rates, and the cells of the table that is made of them.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "harness/base/text.h"
#include "harness/contract/registry.h"
#include "harness/contract/select.h"
#include "harness/pages/tables/times/ladder.h"
#include "harness/results/compare.h"
#include "harness/results/folder.h"
#include "harness/results/freshness.h"
#include "harness/results/stored_times.h"

namespace flash_steps {

struct Rate {
  int seqlen;
  double tflops;
  double fa2_tflops;
  bool throttled = false;
};

inline TimingSummary timing_of(const Problem& problem, double tflops, bool throttled) {
  const double ms = problem.flops() / tflops * 1e-9;
  return {{ms}, ms, ms, ms, ms, tflops, {throttled ? 1500.0 : 1980.0, 0, 0, throttled}, true};
}

inline Problem published_problem(int seqlen) {
  return {read_published().batch.at(seqlen), 16, seqlen, 128, Dtype::fp16, InputDistribution::normal, 1};
}

inline Run run_of(const std::string& kernel, const Rate& rate) {
  Run run;
  run.kernel = kernel;
  run.config = "64x64";
  run.code = code_hash(*find_kernel(kernel));
  run.problem = published_problem(rate.seqlen);
  run.timing = timing_of(run.problem, rate.tflops, rate.throttled);
  run.baselines[Baseline::fa2] = compare_with(timing_of(run.problem, rate.fa2_tflops, rate.throttled), *run.timing);
  return run;
}

inline Results results_of(const std::vector<Run>& runs, const std::string& date = "2026-01-02T03:04:05Z") {
  Results results;
  results.meta = {{"runner", "--kernel=all", "--json=out.json"}, std::nullopt, std::nullopt, date, "GCC", "13.0", "1"};
  results.device = {Target::gpu, "NVIDIA H100", "9.0", 132, 1, 1, 1, 1980, 2619, "1"};
  results.runs = runs;
  for (const Run& run : runs) {
    const auto fa2 = run.baselines.find(Baseline::fa2);
    if (fa2 == run.baselines.end() || fa2->second.stored_in) continue;
    BaselineRun baseline;
    baseline.problem = run.problem;
    baseline.timing = timing_of(run.problem, fa2->second.tflops, run.timing->state.throttled);
    results.baselines.push_back(baseline);
  }
  return results;
}

inline std::vector<Run> all_lengths(const std::string& kernel, double tflops, double fa2_tflops) {
  std::vector<Run> runs;
  for (const int seqlen : read_published().seqlens) runs.push_back(run_of(kernel, {seqlen, tflops, fa2_tflops}));
  return runs;
}

inline std::vector<const Kernel*> all_kernels() { return select_kernels("all", kernels()); }

inline std::string table_of(const std::vector<ResultsFile>& files) {
  const Published published = read_published();
  return render_table(all_kernels(), published, sweeps_of(files, published));
}

// The cells of the row that starts with a name.
inline std::vector<std::string> row_of(const std::string& table, const std::string& name) {
  for (const std::string& line : split(table, '\n')) {
    if (!line.starts_with("| " + name + " |")) continue;
    std::vector<std::string> cells;
    std::stringstream stream(line);
    for (std::string cell; std::getline(stream, cell, '|');) {
      if (cell.size() > 2) cells.push_back(cell.substr(1, cell.size() - 2));
    }
    return cells;
  }
  return {};
}

}  // namespace flash_steps
