// What follows from samples: their summary, and how fast one thing is beside another.
#pragma once

#include <vector>

#include "harness/results/results.h"

namespace flash_steps {

TimingSummary summarize(const Timing& timing, const Problem& problem);

/// Both were timed in the same rounds.
Comparison compare_with(const TimingSummary& baseline, const TimingSummary& kernel);

/// A kernel's speed in percent of another's that was timed in the same rounds: the median of those of each round.
double paired_percent(const TimingSummary& other, const TimingSummary& kernel);

/// The fastest run of each kernel on each problem, in the order of the runs, of those that were timed with the full
/// budget: by the percentage of FlashAttention-2 if it was timed beside all of the kernel's runs on the problem,
/// otherwise by the median.
std::vector<const Run*> best_runs(const std::vector<Run>& runs);

}  // namespace flash_steps
