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
  }
  return "";
}

}  // namespace flash_steps::emulator
