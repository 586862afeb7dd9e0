#include "harness/emulator/words/word.h"

#include <iterator>

namespace flash_steps::emulator {
namespace {

struct Entry {
  Word word;
  const char* name;
  int width = 0;
};

constexpr Entry words[] = {
    {Word::none, ""},
    {Word::cp_async_16, "cp_async_16", 16},
    {Word::cp_async_16_prefetch_128, "cp_async_16_prefetch_128", 16},
    {Word::cp_async_16_or_zeros, "cp_async_16_or_zeros", 16},
    {Word::cp_async_commit, "cp_async_commit"},
    {Word::cp_async_wait, "cp_async_wait"},
    {Word::ldmatrix_x4, "ldmatrix_x4", 16},
    {Word::ldmatrix_x4_trans, "ldmatrix_x4_trans", 16},
    {Word::ld_shared_4, "ld_shared_4", 4},
    {Word::ld_shared_8, "ld_shared_8", 8},
    {Word::ld_shared_16, "ld_shared_16", 16},
    {Word::st_shared_4, "st_shared_4", 4},
    {Word::st_shared_8, "st_shared_8", 8},
    {Word::st_shared_16, "st_shared_16", 16},
    {Word::ld_global_4, "ld_global_4", 4},
    {Word::st_global_4, "st_global_4", 4},
    {Word::ld_global_16, "ld_global_16", 16},
    {Word::st_global_16, "st_global_16", 16},
    {Word::st_global_16_no_allocate, "st_global_16_no_allocate", 16},
    {Word::st_global_16_no_allocate_if, "st_global_16_no_allocate_if", 16},
    {Word::st_global_4_if, "st_global_4_if", 4},
    {Word::red_global_add, "red_global_add", 4},
    {Word::mma_fp16, "mma_m16n8k16"},
    {Word::mma_bf16, "mma_m16n8k16"},
    {Word::wmma_load_a, "wmma_load_a", 16},
    {Word::wmma_load_b_row, "wmma_load_b_row", 16},
    {Word::wmma_load_b_col, "wmma_load_b_col", 16},
    {Word::wmma_mma_fp16, "wmma_mma"},
    {Word::wmma_mma_bf16, "wmma_mma"},
    {Word::wmma_store_d, "wmma_store_d", 8},
    {Word::shfl_xor, "shfl_xor"},
    {Word::any_of_warp, "any_of_warp"},
    {Word::barrier, "barrier"},
    {Word::warp_barrier, "warp_barrier"},
    {Word::mbarrier_init, "mbarrier_init"},
    {Word::mbarrier_init_fence, "mbarrier_init_fence"},
    {Word::mbarrier_arrive, "mbarrier_arrive"},
    {Word::mbarrier_arrive_expect_tx, "mbarrier_arrive_expect_tx"},
    {Word::mbarrier_wait, "mbarrier_wait"},
    {Word::tma_load, "tma_load"},
    {Word::tma_store, "tma_store"},
    {Word::tma_store_commit, "tma_store_commit"},
    {Word::tma_store_wait_read, "tma_store_wait_read"},
    {Word::proxy_fence, "proxy_fence"},
    {Word::elect_one, "elect_one"},
    {Word::wgmma_fence, "wgmma_fence"},
    {Word::wgmma_commit, "wgmma_commit"},
    {Word::wgmma_wait, "wgmma_wait"},
    {Word::wgmma_fp16, "wgmma_m64n128k16"},
    {Word::wgmma_bf16, "wgmma_m64n128k16"},
    {Word::wgmma_trans_fp16, "wgmma_m64n128k16_trans"},
    {Word::wgmma_trans_bf16, "wgmma_m64n128k16_trans"},
    {Word::setmaxnreg_dec, "setmaxnreg_dec"},
    {Word::setmaxnreg_inc, "setmaxnreg_inc"},
    {Word::named_barrier_sync, "named_barrier_sync"},
    {Word::named_barrier_arrive, "named_barrier_arrive"},
    {Word::stmatrix_x4, "stmatrix_x4"},
};

constexpr bool are_in_order() {
  for (size_t i = 0; i < std::size(words); i++) {
    if (words[i].word != static_cast<Word>(i)) return false;
  }
  return std::size(words) == static_cast<size_t>(Word::stmatrix_x4) + 1;
}
static_assert(are_in_order(), "a word of the enumeration has no entry, or another's");

const Entry& entry_of(Word word) { return words[static_cast<int>(word)]; }

}  // namespace

const char* name_of(Word word) { return entry_of(word).name; }

int width_of(Word word) { return entry_of(word).width; }

}  // namespace flash_steps::emulator
