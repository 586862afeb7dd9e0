#include "harness/measure/ranking.h"

#include <algorithm>
#include <numeric>

#include "harness/base/statistics.h"

namespace flash_steps {
namespace {

// In percent of the first config, in whose rounds the samples lie: clocks change while they are timed.
Statistics speed_of(const TimingSummary& timing, const TimingSummary& first) {
  std::vector<double> percents;
  for (size_t i = 0; i < std::min(timing.samples_ms.size(), first.samples_ms.size()); i++) {
    percents.push_back(100 * first.samples_ms[i] / timing.samples_ms[i]);
  }
  return statistics_of(percents);
}

double spread(const Statistics& speed) { return speed.p80 - speed.p20; }

}  // namespace

TimingBudget ranking_budget(const TimingBudget& budget) {
  return {.min_samples = std::min(budget.min_samples, 5), .min_seconds = budget.min_seconds / 50, .with_state = false};
}

std::vector<size_t> finalists(const std::vector<const TimingSummary*>& timings) {
  std::vector<Statistics> speeds;
  for (const TimingSummary* timing : timings) speeds.push_back(speed_of(*timing, *timings.front()));
  std::vector<size_t> order(timings.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return speeds[a].median > speeds[b].median; });
  const Statistics& best = speeds[order.front()];
  std::vector<size_t> chosen;
  for (size_t place = 0; place < order.size(); place++) {
    const Statistics& speed = speeds[order[place]];
    const bool may_be_best = speed.median + spread(speed) + spread(best) >= best.median;
    if (place < least_finalists || may_be_best) chosen.push_back(order[place]);
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace flash_steps
