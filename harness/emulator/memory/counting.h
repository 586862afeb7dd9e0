// How the hardware counts one memory instruction of a warp.
#pragma once

#include <cstdint>
#include <span>

namespace flash_steps::emulator {

inline constexpr int sector_bytes = 32;  ///< the pieces in which global memory is moved

/// Phases in which shared memory serves 32 accesses of `width` bytes, 128 bytes a phase: the ideal wavefronts.
int phases(int width);

/// Wavefronts of 32 accesses of `width` (4, 8 or 16) bytes to shared memory, by lane. A phase costs as many as the
/// most distinct 4-byte words that it wants of one of the 32 banks. Addresses are multiples of the width.
int wavefronts(std::span<const uint32_t> addresses, int width);

struct SharedCost {
  int wavefronts;
  int ideal;
};

/// Of a load of 32 lanes. Where each lane i wants what lane i ^ 1 wants, or each what lane i ^ 2 wants, a phase serves
/// the lanes of two: the bytes that it returns are half as many. Source: Greg Smith of NVIDIA in the developer forum,
/// "Unexpected shared memory bank conflict"; v09's loads of 8 bytes and v08's of 16 count so on an H100.
SharedCost load_cost(std::span<const uint32_t> addresses, int width);

/// Distinct 32-byte pieces of global memory in accesses of at most 32 aligned bytes.
int sectors(std::span<const uintptr_t> addresses);

/// Distinct lines of L1, of 128 bytes each, for which a load needs a tag each.
int tags(std::span<const uintptr_t> addresses);

}  // namespace flash_steps::emulator
