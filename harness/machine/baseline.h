// What the kernels are compared with.
#pragma once

#include <optional>
#include <string>

#include "harness/contract/problem.h"

namespace flash_steps {

enum class Baseline {
  fa2,       ///< FlashAttention-2, as PyTorch has it
  cudnn,     ///< cuDNN's attention, through PyTorch
  standard,  ///< Q·Kᵀ, softmax and P·V one after the other, with N² numbers in memory between them
  pytorch,   ///< the same by PyTorch's operators, one for each line of the formula, and autograd backward
};

inline constexpr Baseline all_baselines[] = {Baseline::fa2, Baseline::cudnn, Baseline::standard, Baseline::pytorch};

const char* name_of(Baseline baseline);

/// Why a baseline is not run on a problem, as a sentence; nothing if it is.
std::optional<std::string> refusal(Baseline baseline, const Problem& problem);

}  // namespace flash_steps
