// Checks and times variants on one problem.
#pragma once

#include <string>
#include <vector>

#include "harness/backend.h"
#include "harness/options.h"
#include "harness/progress.h"
#include "harness/registry.h"
#include "harness/results.h"

namespace flash_steps {

/// A variant that is to be run.
struct Job {
  const Kernel* kernel;
  const Variant* variant;

  std::string name() const { return kernel->name + " " + variant->tile.config; }
};

struct Measurement {
  std::vector<Run> runs;                ///< one for each job, in order
  std::vector<std::string> complaints;  ///< what was wrong, a sentence or a hazard's paragraph each
};

/// The emulator runs each job once, which checks it and counts. A GPU checks each job at two small shapes and at the
/// problem, times (unless mode is check_only) those that are right, and checks them again. A job that fails does not
/// keep the others from running.
Measurement measure(Backend& backend, const Problem& problem, const std::vector<Job>& jobs, const Options& options,
                    Progress& progress);

}  // namespace flash_steps
