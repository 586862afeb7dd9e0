// The operands of Hopper's words, which lie on the stack of the lane that is parked with one.
#pragma once

#include <cstdint>

#include "harness/contract/kernel.h"

namespace flash_steps::emulator {

/// Where a 16-byte chunk lies that would lie at `address` without the 128-byte swizzle: the chunks of a row of 128
/// bytes are permuted by the number of the row.
inline uint32_t swizzled(uint32_t address) { return address ^ (address >> 3 & 0x70); }

struct TmaCopy {
  uint32_t smem;
  TensorMapShape map;
  int coordinates[5];     // innermost first
  uint32_t barrier_smem;  // of a load
};

struct Wgmma {
  float* d;           // 64 of them
  const uint32_t* a;  // four registers, or null: it lies in shared memory
  uint64_t a_descriptor;
  uint64_t b_descriptor;
  bool accumulate;
};

}  // namespace flash_steps::emulator
