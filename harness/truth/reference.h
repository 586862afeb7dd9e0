// The truth: attention by plain loops in fp64, sharing no code with any kernel.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/contract/problem.h"
#include "harness/machine/backend.h"
#include "harness/truth/inputs.h"

namespace flash_steps {

struct Reference {
  std::vector<double> exact;  ///< O in fp64
  std::vector<float> ref16;   ///< O of plain attention with S, P and O rounded to the problem's 16-bit type
};

/// Computes both, with the rows spread over `threads` host threads (0: one a core).
Reference reference_attention(const Problem& problem, const HostInputs& inputs, int threads = 0);

/// Compares a kernel's output (bits of the problem's type) and ref16 with the exact reference.
OutputErrors compare(const Problem& problem, const std::vector<uint16_t>& output, const Reference& reference);

/// The value of 16 bits of either type.
double to_double(uint16_t bits, Dtype dtype);

/// Rounds to nearest even, with overflow to infinity.
uint16_t from_double(double value, Dtype dtype);

/// The distance of the two numbers of the type between which `magnitude` lies.
double rounding_step(double magnitude, Dtype dtype);

}  // namespace flash_steps
