// The truth: attention by plain loops in fp64, sharing no code with any kernel.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/contract/problem.h"
#include "harness/truth/inputs.h"

namespace flash_steps {

struct Reference {
  std::vector<double> exact;     ///< O in fp64
  std::vector<float> ref16;      ///< O of plain attention with S, P and O rounded to the problem's 16-bit type
  std::vector<double> lse = {};  ///< ln Σ exp(S) [batch, heads, seqlen]; +∞ of a query that attends to no key
};

/// Computes them, with the rows spread over `threads` host threads (0: one a core).
Reference reference_attention(const Problem& problem, const HostInputs& inputs, int threads = 0);

}  // namespace flash_steps
