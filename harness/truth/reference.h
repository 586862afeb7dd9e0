// The truth: attention by plain loops in fp64, sharing no code with any kernel.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/contract/problem.h"
#include "harness/truth/inputs.h"

namespace flash_steps {

/// A tensor as it should be.
struct Reference {
  std::vector<double> exact;     ///< in fp64
  std::vector<float> ref16;      ///< of plain attention with what it stores rounded to the problem's 16-bit type
  std::vector<double> lse = {};  ///< of O: ln Σ exp(S) [batch, heads, seqlen]; +∞ of a query that attends to no key
  std::vector<double> lse16 = {};  ///< the same of rounded S
};

/// O, of which ref16 rounds S, P and O. Computes both, with the rows spread over `threads` host threads (0: one a
/// core).
Reference reference_attention(const Problem& problem, const HostInputs& inputs, int threads = 0);

}  // namespace flash_steps
