// The words that a warp executes together, as values.
#pragma once

namespace flash_steps::emulator {

constexpr int warp_lanes = 32;

enum class Word {
  none,
  cp_async_16,
  cp_async_16_prefetch_128,
  cp_async_16_or_zeros,
  cp_async_commit,
  cp_async_wait,
  ldmatrix_x4,
  ldmatrix_x4_trans,
  ld_shared_4,
  ld_shared_8,
  ld_shared_16,
  st_shared_4,
  st_shared_8,
  st_shared_16,
  ld_global_4,
  st_global_4,
  ld_global_16,
  st_global_16,
  st_global_16_no_allocate,
  st_global_16_no_allocate_if,
  st_global_4_if,
  red_global_add,
  mma_fp16,
  mma_bf16,
  wmma_load_a,
  wmma_load_b_row,
  wmma_load_b_col,
  wmma_mma_fp16,
  wmma_mma_bf16,
  wmma_store_d,
  shfl_xor,
  any_of_warp,
  barrier,
  warp_barrier,
  // of sm_90a: those that lanes call for themselves ...
  mbarrier_init,
  mbarrier_init_fence,
  mbarrier_arrive,
  mbarrier_arrive_expect_tx,
  mbarrier_wait,
  tma_load,
  tma_store,
  tma_store_commit,
  tma_store_wait_read,
  proxy_fence,
  // ... and those of whole warps
  elect_one,
  wgmma_fence,
  wgmma_commit,
  wgmma_wait,
  wgmma_fp16,
  wgmma_bf16,
  wgmma_trans_fp16,
  wgmma_trans_bf16,
  setmaxnreg_dec,
  setmaxnreg_inc,
  named_barrier_sync,
  named_barrier_arrive,
  stmatrix_x4,
};

/// Whether a lane calls the word for itself, whatever the others of its warp do.
constexpr bool is_lane_word(Word word) { return Word::mbarrier_init <= word && word <= Word::proxy_fence; }

/// As a kernel calls it.
const char* name_of(Word word);

/// The bytes that a lane moves at once; 0 of a word that moves none.
int width_of(Word word);

}  // namespace flash_steps::emulator
