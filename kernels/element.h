// The 16-bit numbers that kernels compute with, and the piece of memory that they move.
#pragma once

#include <bit>
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

/// What an 8-byte access moves, and what two 16-bit elements are in fp32.
struct Pair {
  float low, high;
};

/// A float as the 4-byte words move it, and back: no instruction.
constexpr uint32_t bits_of(float value) { return std::bit_cast<uint32_t>(value); }
constexpr float float_of(uint32_t bits) { return std::bit_cast<float>(bits); }

}  // namespace flash_steps
