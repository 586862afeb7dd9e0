// What the kernels are compared with.
#pragma once

namespace flash_steps {

enum class Baseline {
  fa2,       ///< FlashAttention-2, as PyTorch has it
  cudnn,     ///< cuDNN's attention, through PyTorch
  standard,  ///< Q·Kᵀ, softmax and P·V one after the other, with N² numbers in memory between them
};

inline constexpr Baseline all_baselines[] = {Baseline::fa2, Baseline::cudnn, Baseline::standard};

const char* name_of(Baseline baseline);

}  // namespace flash_steps
