// Checks and times variants on one problem after the other.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "harness/base/progress.h"
#include "harness/machine/machine.h"
#include "harness/measure/job.h"
#include "harness/measure/settings.h"
#include "harness/results/results.h"

namespace flash_steps {

struct Measurement {
  std::vector<Run> runs;                ///< one for each job, in order
  std::vector<BaselineRun> baselines;   ///< one for each baseline of the settings, in order; none on the emulator
  std::vector<std::string> complaints;  ///< what was wrong, a sentence or a hazard's paragraph each
  std::vector<std::string> notes;       ///< which baselines could not run and why, a sentence each
};

/// The small problems at which every variant is checked before anything else, once: an odd and an even number of
/// blocks, several heads and sequences, large, all negative and all positive logits. What one of them costs on the
/// emulator is held below a second by leaving out sequences, then blocks.
std::vector<Problem> small_problems(const Variant& variant, const Problem& problem);

/// Checks each job at the small problems (once for each variant that passes) and at the problem. The emulator counts on
/// the way. A GPU then times those that are right, with the baselines (unless the purpose is to check), and checks them
/// again. A job or a baseline that fails does not keep the others from running.
///
/// With `repeats` in the settings, jobs that are right are launched that often on the problem and must give the same
/// bits.
///
/// Where several kernels are timed, a few samples rank the configs of each. Those that are within the ranking's noise
/// of the best are timed with the whole budget, two of them at least.
class Measurer {
 public:
  /// What is told of each run as soon as it is complete.
  using OnRun = std::function<void(const Run&)>;

  /// The arguments have to outlive it.
  Measurer(Machine& machine, const Settings& settings, Progress& progress, OnRun on_run = {})
      : machine_(machine), settings_(settings), progress_(progress), on_run_(std::move(on_run)) {}

  Measurement measure(const Problem& problem, const std::vector<Job>& jobs);

 private:
  Machine& machine_;
  const Settings& settings_;
  Progress& progress_;
  OnRun on_run_;
  std::set<const Variant*> right_at_small_problems_;
};

/// How many steps of the progress a problem with so many jobs makes.
int steps_of(const Settings& settings, size_t jobs);

}  // namespace flash_steps
