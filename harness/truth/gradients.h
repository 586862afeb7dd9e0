// The truth of the backward pass: the gradients by plain loops in fp64, sharing no code with any kernel.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/contract/problem.h"
#include "harness/truth/inputs.h"
#include "harness/truth/reference.h"

namespace flash_steps {

struct Gradients {
  Reference dq, dk, dv;
};

/// dQ, dK and dV of Σ O∘dO. With s = 1/√head_dim, L = ln Σ exp(S) of a row, and D the row sums of dO∘O:
///
///   S = s·Q·Kᵀ   P = exp(S − L)   dP = Z∘(dO·Vᵀ)/κ   dS = P∘(dP − D)
///   dQ = s·dS·K   dK = s·dSᵀ·Q   dV = (Z∘P/κ)ᵀ·dO
///
/// where of dropout Z is 1 for the weights that are kept, and κ the probability of that; without it both are 1.
/// ref16 rounds S, P, dP, dS and the gradients, and takes D from the rounded O of `forward`, which is the reference of
/// O for the same inputs. `threads` as for reference_attention().
Gradients reference_gradients(const Problem& problem, const HostInputs& inputs, const Reference& forward,
                              int threads = 0);

/// O and LSE as a backward pass gets them: of the exact forward one, rounded to the problem's type and to fp32.
struct ForwardOutputs {
  std::vector<uint16_t> o;
  std::vector<float> lse;
};

ForwardOutputs forward_outputs(const Problem& problem, const Reference& forward);

}  // namespace flash_steps
