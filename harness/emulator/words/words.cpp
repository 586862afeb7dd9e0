// The words as a lane calls them: each hands its operands to the warp.

#include "harness/emulator/words/isa.h"
#include "harness/emulator/words/operation.h"

namespace flash_steps {
inline namespace on_emulator {

constinit thread_local Dim3 threadIdx;
constinit thread_local Dim3 blockIdx;
constinit thread_local Dim3 blockDim;
constinit thread_local Dim3 gridDim;

using emulator::Operation;
using emulator::perform;
using emulator::Word;

void cp_async_16(uint32_t to_smem, const void* from_gmem, SourceLine line) {
  perform({.word = Word::cp_async_16, .line = line, .smem = to_smem, .from = from_gmem});
}

void cp_async_16_prefetch_128(uint32_t to_smem, const void* from_gmem, SourceLine line) {
  perform({.word = Word::cp_async_16_prefetch_128, .line = line, .smem = to_smem, .from = from_gmem});
}

void cp_async_16_or_zeros(uint32_t to_smem, const void* from_gmem, bool there, SourceLine line) {
  perform({.word = Word::cp_async_16_or_zeros,
           .line = line,
           .smem = to_smem,
           .from = there ? from_gmem : nullptr,
           .immediate = there});
}

void cp_async_commit(SourceLine line) { perform({.word = Word::cp_async_commit, .line = line}); }

void cp_async_wait_group(int pending, SourceLine line) {
  perform({.word = Word::cp_async_wait, .line = line, .immediate = pending});
}

void ldmatrix_x4(uint32_t (&regs)[4], uint32_t from_smem, SourceLine line) {
  perform({.word = Word::ldmatrix_x4, .line = line, .smem = from_smem, .to = regs});
}

void ldmatrix_x4_trans(uint32_t (&regs)[4], uint32_t from_smem, SourceLine line) {
  perform({.word = Word::ldmatrix_x4_trans, .line = line, .smem = from_smem, .to = regs});
}

uint32_t ld_shared_4(uint32_t from_smem, SourceLine line) {
  uint32_t value;
  perform({.word = Word::ld_shared_4, .line = line, .smem = from_smem, .to = &value});
  return value;
}

Pair ld_shared_8(uint32_t from_smem, SourceLine line) {
  Pair pair;
  perform({.word = Word::ld_shared_8, .line = line, .smem = from_smem, .to = &pair});
  return pair;
}

Chunk ld_shared_16(uint32_t from_smem, SourceLine line) {
  Chunk chunk;
  perform({.word = Word::ld_shared_16, .line = line, .smem = from_smem, .to = &chunk});
  return chunk;
}

void st_shared_4(uint32_t to_smem, uint32_t value, SourceLine line) {
  perform({.word = Word::st_shared_4, .line = line, .smem = to_smem, .from = &value});
}

void st_shared_8(uint32_t to_smem, Pair pair, SourceLine line) {
  perform({.word = Word::st_shared_8, .line = line, .smem = to_smem, .from = &pair});
}

void st_shared_16(uint32_t to_smem, Chunk chunk, SourceLine line) {
  perform({.word = Word::st_shared_16, .line = line, .smem = to_smem, .from = &chunk});
}

uint32_t ld_global_4(const void* from_gmem, SourceLine line) {
  uint32_t value;
  perform({.word = Word::ld_global_4, .line = line, .from = from_gmem, .to = &value});
  return value;
}

void st_global_4(void* to_gmem, uint32_t value, SourceLine line) {
  perform({.word = Word::st_global_4, .line = line, .from = &value, .to = to_gmem});
}

Chunk ld_global_16(const void* from_gmem, SourceLine line) {
  Chunk chunk;
  perform({.word = Word::ld_global_16, .line = line, .from = from_gmem, .to = &chunk});
  return chunk;
}

void st_global_16(void* to_gmem, Chunk chunk, SourceLine line) {
  perform({.word = Word::st_global_16, .line = line, .from = &chunk, .to = to_gmem});
}

void st_global_16_no_allocate(void* to_gmem, Chunk chunk, SourceLine line) {
  perform({.word = Word::st_global_16_no_allocate, .line = line, .from = &chunk, .to = to_gmem});
}

void st_global_16_no_allocate_if(bool condition, void* to_gmem, Chunk chunk, SourceLine line) {
  perform(
      {.word = Word::st_global_16_no_allocate_if, .line = line, .from = &chunk, .to = to_gmem, .immediate = condition});
}

void st_global_4_if(bool condition, void* to_gmem, uint32_t value, SourceLine line) {
  perform({.word = Word::st_global_4_if, .line = line, .from = &value, .to = to_gmem, .immediate = condition});
}

void red_global_add(float* to_gmem, float value, SourceLine line) {
  perform({.word = Word::red_global_add, .line = line, .from = &value, .to = to_gmem});
}

template <>
void mma_m16n8k16<fp16_t>(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, const float (&c)[4],
                          SourceLine line) {
  const uint32_t b[2] = {b0, b1};
  perform({.word = Word::mma_fp16, .line = line, .a = a, .b = b, .c = c, .d = d});
}

template <>
void mma_m16n8k16<bf16_t>(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, const float (&c)[4],
                          SourceLine line) {
  const uint32_t b[2] = {b0, b1};
  perform({.word = Word::mma_bf16, .line = line, .a = a, .b = b, .c = c, .d = d});
}

float shfl_xor(float value, int lane_mask, SourceLine line) {
  float result;
  perform({.word = Word::shfl_xor, .line = line, .from = &value, .to = &result, .immediate = lane_mask});
  return result;
}

bool any_of_warp(bool condition, SourceLine line) {
  bool result;
  perform({.word = Word::any_of_warp, .line = line, .from = &condition, .to = &result});
  return result;
}

void barrier(SourceLine line) { perform({.word = Word::barrier, .line = line}); }

void warp_barrier(SourceLine line) { perform({.word = Word::warp_barrier, .line = line}); }

}  // namespace on_emulator
}  // namespace flash_steps
