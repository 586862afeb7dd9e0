// The words that a warp executes together, as values.
#pragma once

namespace flash_steps::emulator {

constexpr int warp_lanes = 32;

enum class Word {
  none,
  cp_async_16,
  cp_async_16_prefetch_128,
  cp_async_commit,
  cp_async_wait,
  ldmatrix_x4,
  ldmatrix_x4_trans,
  ld_shared_16,
  st_shared_4,
  ld_global_16,
  st_global_16,
  st_global_16_no_allocate,
  mma_fp16,
  mma_bf16,
  shfl_xor,
  any_of_warp,
  barrier,
  warp_barrier,
};

/// As a kernel calls it.
const char* name_of(Word word);

}  // namespace flash_steps::emulator
