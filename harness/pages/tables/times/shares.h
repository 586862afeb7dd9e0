// What each of the two ideas of a step is worth: the step before, a kernel with the first idea alone, and the step.
#pragma once

#include <string>

#include "harness/contract/registry.h"
#include "harness/results/results.h"

namespace flash_steps {

/// In Markdown: percent of FlashAttention-2 at each length of the results, for the step before, for the kernel named
/// `between`, which is in no folder of kernels but that of scripts/shares.sh, and for the step. Throws
/// std::runtime_error when the results lack one of the three at a length.
std::string render_shares(const Kernel& step, const std::string& between, const Results& results);

}  // namespace flash_steps
