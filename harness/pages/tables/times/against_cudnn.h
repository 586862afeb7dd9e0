// The steps of a chapter beside cuDNN, in Markdown.
#pragma once

#include <string>
#include <vector>

#include "harness/contract/registry.h"
#include "harness/results/sweeps.h"

namespace flash_steps {

/// Each step's speed at each length, of its best config, in percent of cuDNN's: the median of the rounds in which both
/// ran. Throws std::runtime_error if cuDNN was not timed beside any of them.
std::string render_against_cudnn(const std::vector<const Kernel*>& steps, const Sweep& sweep,
                                 const std::vector<int>& seqlens);

}  // namespace flash_steps
