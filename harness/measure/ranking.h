// Which configs of a kernel are worth the whole budget.
#pragma once

#include <cstddef>
#include <vector>

#include "harness/machine/timing.h"
#include "harness/results/results.h"

namespace flash_steps {

constexpr size_t least_finalists = 2;

/// A few samples, which tell the better configs from the worse.
TimingBudget ranking_budget(const TimingBudget& budget);

/// Of configs that were timed in the same rounds the places of those that may be the fastest: the best two by the
/// median of the pairs with the first config, and those that are no further behind the best than their own and its
/// spread (from the 20th to the 80th percentile of the pairs). In the order of the configs.
std::vector<size_t> finalists(const std::vector<const TimingSummary*>& timings);

}  // namespace flash_steps
