// What the emulator counts of a launch, in Nsight Compute's terms (docs/method/measuring.md names the metrics).
#pragma once

#include <cstdint>

namespace flash_steps {

/// One kind of memory instruction. Instructions are counted once a warp.
struct AccessCounters {
  uint64_t instructions = 0;
  uint64_t wavefronts = 0;        ///< passes through shared memory: 0 for words that do not touch it
  uint64_t ideal_wavefronts = 0;  ///< what they would be without bank conflicts
  uint64_t sectors = 0;           ///< 32-byte pieces of global memory: 0 for words that do not touch it
  uint64_t tags = 0;              ///< 128-byte lines of global memory, of words that load through L1

  uint64_t bank_conflicts() const { return wavefronts - ideal_wavefronts; }
  AccessCounters& operator+=(const AccessCounters& other);
  bool operator==(const AccessCounters&) const = default;
};

struct Counters {
  AccessCounters ldmatrix;
  AccessCounters cp_async;
  AccessCounters shared_load;
  AccessCounters shared_store;
  AccessCounters global_load;
  AccessCounters global_store;
  uint64_t mma_instructions = 0;
  uint64_t shuffle_instructions = 0;
  uint64_t barrier_instructions = 0;
  uint64_t vote_instructions = 0;
  uint64_t votes_won = 0;               ///< how many of them found a lane whose condition held
  uint64_t reduction_instructions = 0;  ///< that add to global memory
  uint64_t reduction_sectors = 0;
  uint64_t wgmma_instructions = 0;     ///< of warps: a product of a warpgroup is four
  uint64_t stmatrix_instructions = 0;  ///< which the hardware does not count as stores to shared memory
  uint64_t stmatrix_wavefronts = 0;
  uint64_t tma_load_instructions = 0;
  uint64_t tma_load_sectors = 0;
  uint64_t tma_store_instructions = 0;
  uint64_t tma_store_sectors = 0;
  uint64_t hbm_bytes_read = 0;     ///< distinct sectors read by the whole launch × 32
  uint64_t hbm_bytes_written = 0;  ///< distinct sectors written by the whole launch × 32

  /// Wavefronts of all words that touch shared memory, and what they would be without conflicts.
  uint64_t shared_wavefronts() const;
  uint64_t shared_ideal_wavefronts() const;

  Counters& operator+=(const Counters& other);
  bool operator==(const Counters&) const = default;
};

/// What only some kernels execute: where it is 0, results and reports leave it out.
using CounterField = uint64_t Counters::*;
struct RareCounter {
  const char* name;
  CounterField count;
};
inline constexpr RareCounter rare_counters[] = {{"vote_instructions", &Counters::vote_instructions},
                                                {"votes_won", &Counters::votes_won},
                                                {"reduction_instructions", &Counters::reduction_instructions},
                                                {"reduction_sectors", &Counters::reduction_sectors},
                                                {"wgmma_instructions", &Counters::wgmma_instructions},
                                                {"stmatrix_instructions", &Counters::stmatrix_instructions},
                                                {"stmatrix_wavefronts", &Counters::stmatrix_wavefronts},
                                                {"tma_load_instructions", &Counters::tma_load_instructions},
                                                {"tma_load_sectors", &Counters::tma_load_sectors},
                                                {"tma_store_instructions", &Counters::tma_store_instructions},
                                                {"tma_store_sectors", &Counters::tma_store_sectors}};

}  // namespace flash_steps
