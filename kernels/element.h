// The 16-bit numbers that kernels compute with, and the piece of memory that they move.
#pragma once

#include <cstdint>

namespace flash_steps {

/// IEEE binary16, as the bits that memory holds.
struct fp16_t {
  uint16_t bits;
};

/// bfloat16: the upper half of an IEEE binary32.
struct bf16_t {
  uint16_t bits;
};

/// What a 16-byte access moves: eight 16-bit elements.
struct alignas(16) Chunk {
  uint32_t words[4];
};

}  // namespace flash_steps
