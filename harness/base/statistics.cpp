#include "harness/base/statistics.h"

#include <algorithm>
#include <cmath>

namespace flash_steps {
namespace {

double percentile(const std::vector<double>& sorted, double percent) {
  const double position = percent / 100 * (sorted.size() - 1);
  const size_t below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], position - below);
}

}  // namespace

Statistics statistics_of(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  return {percentile(samples, 50), percentile(samples, 20), percentile(samples, 80), samples.front()};
}

}  // namespace flash_steps
