// Which variants are run on which problems: decided, and refused, before anything is run.
#pragma once

#include <iosfwd>
#include <vector>

#include "harness/machine/backend.h"
#include "harness/measure/measure.h"
#include "harness/runner/options.h"

namespace flash_steps {

/// Refuses what no machine could run: a config that a kernel lacks, a seqlen that none of a kernel's tiles divides.
/// Needs no backend. Throws UsageError.
void check_choice(const std::vector<const Kernel*>& kernels, const Options& options);

/// The published batch for a length: 16, and beyond seqlen 4096 as many as keep batch · seqlen at 65536, but 1 at
/// least.
int published_batch(int seqlen);

/// The problems that the options ask for, one for each dtype, inputs and seqlen, the seqlens of one dtype and inputs in
/// a row. Where they leave the batch open it is the default problem's, but at most the published one. Throws
/// MachineError for sizes beyond any memory.
std::vector<Problem> problems_of(const Options& options, const Problem& default_problem);

/// The variants of the kernels that the options choose and that can run this problem on this backend. Configs that the
/// command line did not name and that cannot run are left out, with a line on `notes`. Throws UsageError or
/// MachineError if a kernel has none left.
std::vector<Job> jobs_for(const Problem& problem, const std::vector<const Kernel*>& kernels, const Options& options,
                          const Backend& backend, std::ostream& notes);

}  // namespace flash_steps
