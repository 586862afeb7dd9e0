// The operands of Hopper's words, which lie on the stack of the lane that is parked with one.
#pragma once

#include <cstdint>

#include "harness/contract/kernel.h"

namespace flash_steps::emulator {

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
