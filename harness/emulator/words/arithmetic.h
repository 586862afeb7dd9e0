// The tensor core.
#pragma once

#include <cstdint>

#include "harness/contract/problem.h"

namespace flash_steps::emulator {

/// d = a·b + c with a 16×16, b 16×8, c and d 16×8. Products and sums are exact to fp64, and rounded once.
void multiply_accumulate(Dtype dtype, const uint16_t (&a)[16][16], const uint16_t (&b)[16][8], const float (&c)[16][8],
                         float (&d)[16][8]);

/// Of a warpgroup's product: a 64×16, b 16×128, d 64×128.
struct WgmmaOperands {
  uint16_t a[64][16];
  uint16_t b[16][128];
  float d[64][128];
};

/// d += a·b, computed as above.
void multiply_accumulate(Dtype dtype, WgmmaOperands& operands);

}  // namespace flash_steps::emulator
