// The words of kernels/isa.cuh on the emulator, for kernels that are compiled by the host compiler.
//
// What each word does is said in kernels/isa.cuh. Here all but the arithmetic ones are executed by the 32 lanes of a
// warp together: a call parks the lane until the other lanes have come to the same word on the same source line.
// The last parameter of those words is never passed: its default is the line of the call.
#pragma once

#include <cstdint>

#include "harness/emulator/words/source_line.h"
#include "kernels/element.h"

// What nvcc reads as attributes says nothing to the host compiler.
#ifndef __global__
#define __global__
#endif
#ifndef __device__
#define __device__
#endif
#ifndef __host__
#define __host__
#endif
#ifndef __forceinline__
#define __forceinline__ inline
#endif
#ifndef __launch_bounds__
#define __launch_bounds__(...)
#endif

namespace flash_steps {
inline namespace on_emulator {

struct Dim3 {
  unsigned x = 0;
  unsigned y = 0;
  unsigned z = 0;
  bool operator==(const Dim3&) const = default;
};

/// Those of the lane that runs: the scheduler sets them whenever it resumes one.
extern constinit thread_local Dim3 threadIdx;
extern constinit thread_local Dim3 blockIdx;
extern constinit thread_local Dim3 blockDim;
extern constinit thread_local Dim3 gridDim;

/// Not 0, so that an address that was never added to shared_base() is found out of bounds.
constexpr uint32_t shared_base() { return 1024; }

// --- Global to shared memory, without passing through registers ------------------------------------------------

void cp_async_16(uint32_t to_smem, const void* from_gmem, SourceLine line = SourceLine::here());
void cp_async_16_prefetch_128(uint32_t to_smem, const void* from_gmem, SourceLine line = SourceLine::here());
void cp_async_16_or_zeros(uint32_t to_smem, const void* from_gmem, bool there, SourceLine line = SourceLine::here());
void cp_async_commit(SourceLine line = SourceLine::here());
void cp_async_wait_group(int pending, SourceLine line);

template <int pending>
void cp_async_wait(SourceLine line = SourceLine::here()) {
  static_assert(pending >= 0, "cp.async.wait_group counts groups from 0");
  cp_async_wait_group(pending, line);
}

// --- Shared memory and registers -------------------------------------------------------------------------------

void ldmatrix_x4(uint32_t (&regs)[4], uint32_t from_smem, SourceLine line = SourceLine::here());
void ldmatrix_x4_trans(uint32_t (&regs)[4], uint32_t from_smem, SourceLine line = SourceLine::here());
uint32_t ld_shared_4(uint32_t from_smem, SourceLine line = SourceLine::here());
Pair ld_shared_8(uint32_t from_smem, SourceLine line = SourceLine::here());
Chunk ld_shared_16(uint32_t from_smem, SourceLine line = SourceLine::here());
void st_shared_4(uint32_t to_smem, uint32_t value, SourceLine line = SourceLine::here());
void st_shared_8(uint32_t to_smem, Pair pair, SourceLine line = SourceLine::here());
void st_shared_16(uint32_t to_smem, Chunk chunk, SourceLine line = SourceLine::here());

// --- Global memory and registers -------------------------------------------------------------------------------

uint32_t ld_global_4(const void* from_gmem, SourceLine line = SourceLine::here());
void st_global_4(void* to_gmem, uint32_t value, SourceLine line = SourceLine::here());
Chunk ld_global_16(const void* from_gmem, SourceLine line = SourceLine::here());
void st_global_16(void* to_gmem, Chunk chunk, SourceLine line = SourceLine::here());
void st_global_16_no_allocate(void* to_gmem, Chunk chunk, SourceLine line = SourceLine::here());
void st_global_16_no_allocate_if(bool condition, void* to_gmem, Chunk chunk, SourceLine line = SourceLine::here());
void st_global_4_if(bool condition, void* to_gmem, uint32_t value, SourceLine line = SourceLine::here());
void red_global_add(float* to_gmem, float value, SourceLine line = SourceLine::here());

// --- Arithmetic ------------------------------------------------------------------------------------------------

template <typename T>
void mma_m16n8k16(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, const float (&c)[4],
                  SourceLine line = SourceLine::here());
template <>
void mma_m16n8k16<fp16_t>(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, const float (&c)[4],
                          SourceLine line);
template <>
void mma_m16n8k16<bf16_t>(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, const float (&c)[4],
                          SourceLine line);

float exp2_approx(float x);

template <typename T>
uint32_t pack2(float low, float high);
template <>
uint32_t pack2<fp16_t>(float low, float high);
template <>
uint32_t pack2<bf16_t>(float low, float high);

template <typename T>
Pair unpack2(uint32_t packed);
template <>
Pair unpack2<fp16_t>(uint32_t packed);
template <>
Pair unpack2<bf16_t>(uint32_t packed);

uint32_t permute_bytes(uint32_t low, uint32_t high, uint32_t selector);

// --- Between threads -------------------------------------------------------------------------------------------

float shfl_xor(float value, int lane_mask, SourceLine line = SourceLine::here());
bool any_of_warp(bool condition, SourceLine line = SourceLine::here());
void barrier(SourceLine line = SourceLine::here());
void warp_barrier(SourceLine line = SourceLine::here());

}  // namespace on_emulator
}  // namespace flash_steps

#include "harness/emulator/words/isa_wmma.h"
