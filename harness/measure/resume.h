// A sweep that was interrupted goes on: its results file has the lengths that it got to.
#pragma once

#include "harness/results/results.h"
#include "harness/runner/options.h"

namespace flash_steps {

/// What the file of --json holds, if this command line, on this device and with the commit of the sources that `now`
/// has, would have measured it in the same way but for the lengths; nothing if there is no file yet. Throws UsageError
/// that names what differs.
Results results_to_resume(const Options& options, const Meta& now, const DeviceFacts& device);

/// Whether the results have this problem.
bool has_problem(const Results& results, const Problem& problem);

}  // namespace flash_steps
