// A sweep that was interrupted goes on: its results file has the lengths that it got to.
#pragma once

#include <vector>

#include "harness/contract/registry.h"
#include "harness/results/results.h"
#include "harness/runner/options.h"

namespace flash_steps {

/// What the file of --json holds, if this command, on this device and with these sources, would have measured it in the
/// same way but for the lengths; nothing if there is no file yet. The same are: the device, the commit of the sources,
/// the code of the kernels, the kernels and configs that are chosen, the budget, the baselines, and all of the problems
/// but their lengths, however they are written. Throws UsageError that names what differs.
Results results_to_resume(const Options& options, const std::vector<const Kernel*>& kernels,
                          const Problem& default_problem, const Meta& now, const DeviceFacts& device);

/// Whether the results have this problem.
bool has_problem(const Results& results, const Problem& problem);

}  // namespace flash_steps
