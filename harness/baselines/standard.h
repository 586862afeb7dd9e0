// Attention as it was before FlashAttention: S = Q·Kᵀ / √head_dim by cuBLAS, softmax in place, O = P·V by cuBLAS. The
// N² numbers of each head lie in the GPU's memory in 16 bits, and are written and read twice.
#pragma once

#include <memory>

#include "harness/baselines/gpu_baseline.h"
#include "harness/contract/kernel.h"
#include "harness/contract/problem.h"

namespace flash_steps {

/// Writes to the tensors' o. Throws OutOfMemory where S does not fit (it is never cut up: that
/// it must fit is what this baseline shows), and MachineError where there is no cuBLAS.
std::unique_ptr<GpuBaseline> make_standard_attention(const Problem& problem, const Tensors& tensors);

}  // namespace flash_steps
