#include "harness/results/compare.h"

#include <algorithm>

#include "harness/base/statistics.h"

namespace flash_steps {
namespace {

double percent_of_fa2(const Run& run) { return run.baselines.at(Baseline::fa2).shown_percent(); }

// Of the runs of one kernel on one problem.
const Run* fastest(const std::vector<const Run*>& runs) {
  const bool by_percent =
      std::all_of(runs.begin(), runs.end(), [](const Run* run) { return run->baselines.contains(Baseline::fa2); });
  return *std::min_element(runs.begin(), runs.end(), [&](const Run* a, const Run* b) {
    return by_percent ? percent_of_fa2(*a) > percent_of_fa2(*b) : a->timing->median_ms < b->timing->median_ms;
  });
}

}  // namespace

TimingSummary summarize(const Timing& timing, const Problem& problem) {
  const Statistics statistics = statistics_of(timing.samples_ms);
  return {timing.samples_ms, statistics.median, statistics.p20,
          statistics.p80,    statistics.min,    problem.flops() / (statistics.median * 1e-3) * 1e-12,
          timing.state};
}

double paired_percent(const TimingSummary& other, const TimingSummary& kernel) {
  std::vector<double> percent_of_rounds;
  const size_t rounds = std::min(other.samples_ms.size(), kernel.samples_ms.size());
  for (size_t i = 0; i < rounds; i++) {
    percent_of_rounds.push_back(100 * other.samples_ms[i] / kernel.samples_ms[i]);
  }
  return statistics_of(percent_of_rounds).median;
}

Comparison compare_with(const TimingSummary& baseline, const TimingSummary& kernel) {
  return {baseline.median_ms, baseline.tflops, 100 * baseline.median_ms / kernel.median_ms,
          paired_percent(baseline, kernel), std::nullopt};
}

std::vector<const Run*> best_runs(const std::vector<Run>& runs) {
  std::vector<std::vector<const Run*>> groups;  // of one kernel and problem each, in the order of the runs
  for (const Run& run : runs) {
    if (!run.timing || !run.timing->full_budget) continue;
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const std::vector<const Run*>& group) {
      return group.front()->kernel == run.kernel && group.front()->problem == run.problem;
    });
    if (same == groups.end()) {
      groups.push_back({&run});
    } else {
      same->push_back(&run);
    }
  }
  std::vector<const Run*> best;
  for (const std::vector<const Run*>& group : groups) best.push_back(fastest(group));
  return best;
}

}  // namespace flash_steps
