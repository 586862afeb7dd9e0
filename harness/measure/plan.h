// Which variants are run on which problems: decided, and refused, before anything is run.
#pragma once

#include <string>
#include <vector>

#include "harness/machine/machine.h"
#include "harness/measure/job.h"
#include "harness/measure/settings.h"

namespace flash_steps {

/// The published batch for a length: 16, and beyond seqlen 4096 as many as keep batch · seqlen at 65536, but 1 at
/// least.
int published_batch(int seqlen);

/// The problem that is run where the command line leaves it open.
struct DefaultProblem {
  Problem problem;
  std::string note;  ///< a sentence that says why it is not the machine's own; empty if it is
};

/// The machine's own, forward unless none of the kernels covers that; or, on the emulator with a kernel that multiplies
/// without tensor cores, one of half the length: a lane's product takes the emulator as long as a warp's.
DefaultProblem default_problem(const Machine& machine, const std::vector<const Kernel*>& kernels);

/// The problems that the settings ask for, one for each dtype, inputs and seqlen, the seqlens of one dtype and inputs
/// in a row. Where they leave the batch open it is the default problem's, but at most the published one. Throws
/// OutOfMemory for sizes beyond any memory.
std::vector<Problem> problems_of(const Settings& settings, const Problem& default_problem);

struct Plan {
  std::vector<Job> jobs;
  std::vector<std::string> left_out;  ///< what was not named and cannot run here, a sentence each
};

/// The variants of the kernels that the settings choose and that can run this problem on this machine. Of several
/// kernels those that cannot are left out, and so are configs that the command line did not name. Throws UsageError or
/// MachineError, with the reason of the first, if none is left; and UsageError where --profile would launch more than
/// one.
Plan plan_for(const Problem& problem, const std::vector<const Kernel*>& kernels, const Settings& settings,
              const Machine& machine);

/// Refuses what no machine could run, as plan_for would, before there is a machine. Throws UsageError.
void check_choice(const std::vector<const Kernel*>& kernels, const Settings& settings);

/// The variants of a kernel for a target and type that a config's list chooses; without a list all. Empty if the
/// kernel has none of these configs.
std::vector<const Variant*> chosen_variants(const Kernel& kernel, Target target, Dtype dtype,
                                            const std::string& config);

}  // namespace flash_steps
