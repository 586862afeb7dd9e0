// Attention as it was before FlashAttention: S = Q·Kᵀ / √head_dim by cuBLAS, softmax in place, O = P·V by cuBLAS. The
// N² numbers of each head lie in the GPU's memory in 16 bits, and are written and read twice. With dropout the softmax
// writes P, the mask in a byte each, and what is left of P: what a backward pass reads, which takes dV, dP, dQ and dK
// by cuBLAS and dS in the place of dP.
#pragma once

#include <memory>

#include "harness/baselines/gpu_baseline.h"
#include "harness/contract/kernel.h"
#include "harness/contract/problem.h"

namespace flash_steps {

/// Writes to the tensors' o; of a backward pass, for which it computes P once now, to dq, dk and dv. Throws OutOfMemory
/// where the matrices of scores do not fit (they are never cut up: that they must fit is what this baseline shows), and
/// MachineError where there is no cuBLAS.
std::unique_ptr<GpuBaseline> make_standard_attention(const Problem& problem, const Tensors& tensors);

}  // namespace flash_steps
