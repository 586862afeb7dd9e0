// A word that no machine has: random numbers by integer arithmetic, the same on a GPU and on the emulator.
#pragma once

#include "kernels/isa.cuh"

namespace flash_steps {

/// Philox4x32 with 7 rounds (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011), as
/// FlashAttention-2 draws: 16 random bytes that follow from a key and a counter of 128 bits, `low` and what stands in
/// `third` and `fourth` behind it. A round is two multiplications of 32 bits by 32 bits to 64.
__device__ __forceinline__ void philox(uint32_t (&drawn)[4], uint64_t key, uint64_t low, uint32_t third,
                                       uint32_t fourth) {
  uint32_t c[4] = {static_cast<uint32_t>(low), static_cast<uint32_t>(low >> 32), third, fourth};
  uint32_t key_low = static_cast<uint32_t>(key);
  uint32_t key_high = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 7; round++) {
    const uint64_t first = uint64_t{0xd2511f53} * c[0];
    const uint64_t second = uint64_t{0xcd9e8d57} * c[2];
    c[0] = static_cast<uint32_t>(second >> 32) ^ c[1] ^ key_low;
    c[1] = static_cast<uint32_t>(second);
    c[2] = static_cast<uint32_t>(first >> 32) ^ c[3] ^ key_high;
    c[3] = static_cast<uint32_t>(first);
    key_low += 0x9e3779b9;
    key_high += 0xbb67ae85;
  }
  for (int i = 0; i < 4; i++) drawn[i] = c[i];
}

}  // namespace flash_steps
