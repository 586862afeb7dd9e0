// Checks and times variants on one problem after the other.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/base/progress.h"
#include "harness/contract/registry.h"
#include "harness/machine/backend.h"
#include "harness/results/results.h"
#include "harness/runner/options.h"

namespace flash_steps {

/// A variant that is to be run.
struct Job {
  const Kernel* kernel;
  const Variant* variant;

  std::string name() const { return kernel->name + " " + variant->tile.config; }
};

struct Measurement {
  std::vector<Run> runs;                ///< one for each job, in order
  std::vector<BaselineRun> baselines;   ///< one for each baseline of the options, in order; none on the emulator
  std::vector<std::string> complaints;  ///< what was wrong, a sentence or a hazard's paragraph each
  std::vector<std::string> notes;       ///< which baselines could not run and why, a sentence each
};

/// The emulator runs each job once, which checks it and counts. A GPU checks each job at two small shapes (once for
/// each variant that passes) and at the problem, times with the baselines (unless the mode is check_only) those that
/// are right, and checks them again. A job or a baseline that fails does not keep the others from running.
///
/// With `repeats` in the options, jobs that are right are launched that often on the problem and must give the same
/// bits.
///
/// Where several kernels are timed, a few samples rank the configs of each, and the best one alone is timed with the
/// whole budget.
class Measurer {
 public:
  /// The arguments have to outlive it.
  Measurer(Backend& backend, const Options& options, Progress& progress)
      : backend_(backend), options_(options), progress_(progress) {}

  Measurement measure(const Problem& problem, const std::vector<Job>& jobs);

 private:
  Backend& backend_;
  const Options& options_;
  Progress& progress_;
  std::set<const Variant*> right_at_small_shapes_;
};

}  // namespace flash_steps
