#include "harness/emulator/words/word.h"

namespace flash_steps::emulator {

const char* name_of(Word word) {
  switch (word) {
    case Word::none:
      return "";
    case Word::cp_async_16:
      return "cp_async_16";
    case Word::cp_async_16_prefetch_128:
      return "cp_async_16_prefetch_128";
    case Word::cp_async_commit:
      return "cp_async_commit";
    case Word::cp_async_wait:
      return "cp_async_wait";
    case Word::ldmatrix_x4:
      return "ldmatrix_x4";
    case Word::ldmatrix_x4_trans:
      return "ldmatrix_x4_trans";
    case Word::ld_shared_16:
      return "ld_shared_16";
    case Word::st_shared_4:
      return "st_shared_4";
    case Word::ld_global_16:
      return "ld_global_16";
    case Word::st_global_16:
      return "st_global_16";
    case Word::st_global_16_no_allocate:
      return "st_global_16_no_allocate";
    case Word::mma_fp16:
    case Word::mma_bf16:
      return "mma_m16n8k16";
    case Word::shfl_xor:
      return "shfl_xor";
    case Word::any_of_warp:
      return "any_of_warp";
    case Word::barrier:
      return "barrier";
    case Word::warp_barrier:
      return "warp_barrier";
    case Word::mbarrier_init:
      return "mbarrier_init";
    case Word::mbarrier_init_fence:
      return "mbarrier_init_fence";
    case Word::mbarrier_arrive:
      return "mbarrier_arrive";
    case Word::mbarrier_arrive_expect_tx:
      return "mbarrier_arrive_expect_tx";
    case Word::mbarrier_wait:
      return "mbarrier_wait";
    case Word::tma_load:
      return "tma_load";
    case Word::tma_store:
      return "tma_store";
    case Word::tma_store_commit:
      return "tma_store_commit";
    case Word::tma_store_wait_read:
      return "tma_store_wait_read";
    case Word::proxy_fence:
      return "proxy_fence";
    case Word::elect_one:
      return "elect_one";
    case Word::wgmma_fence:
      return "wgmma_fence";
    case Word::wgmma_commit:
      return "wgmma_commit";
    case Word::wgmma_wait:
      return "wgmma_wait";
    case Word::wgmma_fp16:
    case Word::wgmma_bf16:
      return "wgmma_m64n128k16";
    case Word::wgmma_trans_fp16:
    case Word::wgmma_trans_bf16:
      return "wgmma_m64n128k16_trans";
    case Word::setmaxnreg_dec:
      return "setmaxnreg_dec";
    case Word::setmaxnreg_inc:
      return "setmaxnreg_inc";
    case Word::named_barrier_sync:
      return "named_barrier_sync";
    case Word::named_barrier_arrive:
      return "named_barrier_arrive";
    case Word::stmatrix_x4:
      return "stmatrix_x4";
  }
  return "";
}

}  // namespace flash_steps::emulator
