// The vocabulary of the kernels: one function for each machine instruction that they use.
//
// Every access to shared or global memory in a kernel goes through a word of this file. On a GPU a word is an
// intrinsic or one line of inline PTX; on the emulator (harness/emulator/words/isa.h) the same word takes the 32 lanes
// of a warp together, counts what the hardware would count, and checks what the hardware would not.
//
// Shared memory is addressed as PTX addresses it: by a 32-bit byte address, beginning at shared_base().
// Names follow PTX; a number behind a name is the width in bytes that one lane moves.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/element.h"

#ifndef __CUDACC__

#include "harness/emulator/words/isa.h"

#else

namespace flash_steps {
inline namespace on_gpu {

/// Address of the first byte of the CTA's dynamic shared memory; a multiple of 1024.
__device__ __forceinline__ uint32_t shared_base() {
  extern __shared__ __align__(1024) unsigned char dynamic_shared_memory[];
  return static_cast<uint32_t>(__cvta_generic_to_shared(dynamic_shared_memory));
}

// --- Global to shared memory, without passing through registers ------------------------------------------------

/// cp.async.cg.shared.global: starts to copy 16 bytes; both addresses are multiples of 16.
/// The bytes are readable by this thread after cp_async_wait, by others after a barrier behind that wait.
__device__ __forceinline__ void cp_async_16(uint32_t to_smem, const void* from_gmem) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to_smem), "l"(from_gmem) : "memory");
}

/// cp_async_16 with .L2::128B: asks L2 to fetch the 128 bytes around as well.
__device__ __forceinline__ void cp_async_16_prefetch_128(uint32_t to_smem, const void* from_gmem) {
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16;" ::"r"(to_smem), "l"(from_gmem) : "memory");
}

/// cp_async_16_prefetch_128 with a source size: if it is not `there`, nothing is read and 16 bytes of zeros are
/// written.
__device__ __forceinline__ void cp_async_16_or_zeros(uint32_t to_smem, const void* from_gmem, bool there) {
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(to_smem), "l"(from_gmem),
               "r"(there ? 16 : 0)
               : "memory");
}

/// cp.async.commit_group: the copies that this thread started since its last commit become one group.
__device__ __forceinline__ void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

/// cp.async.wait_group: waits until at most `pending` of this thread's groups are still under way.
template <int pending>
__device__ __forceinline__ void cp_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}

// --- Shared memory and registers -------------------------------------------------------------------------------

/// ldmatrix.sync.aligned.m8n8.x4.shared.b16: four 8×8 matrices of 16-bit elements.
/// Lane l gives the address of row l % 8 of matrix l / 8 (16 bytes, 16-byte aligned) and receives in regs[i] the
/// elements 2·(l % 4) and 2·(l % 4) + 1 of row l / 4 of matrix i.
__device__ __forceinline__ void ldmatrix_x4(uint32_t (&regs)[4], uint32_t from_smem) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(regs[0]), "=r"(regs[1]), "=r"(regs[2]), "=r"(regs[3])
               : "r"(from_smem)
               : "memory");
}

/// ldmatrix with .trans: as ldmatrix_x4, but each matrix is transposed on the way: lane l receives the elements of
/// rows 2·(l % 4) and 2·(l % 4) + 1 in column l / 4.
__device__ __forceinline__ void ldmatrix_x4_trans(uint32_t (&regs)[4], uint32_t from_smem) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(regs[0]), "=r"(regs[1]), "=r"(regs[2]), "=r"(regs[3])
               : "r"(from_smem)
               : "memory");
}

/// ld.shared.b32: 4 bytes, 4-byte aligned.
__device__ __forceinline__ uint32_t ld_shared_4(uint32_t from_smem) {
  uint32_t value;
  asm volatile("ld.shared.b32 %0, [%1];" : "=r"(value) : "r"(from_smem) : "memory");
  return value;
}

/// ld.shared.v2.f32: 8 bytes, 8-byte aligned.
__device__ __forceinline__ Pair ld_shared_8(uint32_t from_smem) {
  Pair pair;
  asm volatile("ld.shared.v2.f32 {%0, %1}, [%2];" : "=f"(pair.low), "=f"(pair.high) : "r"(from_smem) : "memory");
  return pair;
}

/// ld.shared.v4.b32: 16 bytes, 16-byte aligned.
__device__ __forceinline__ Chunk ld_shared_16(uint32_t from_smem) {
  Chunk chunk;
  asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];"
               : "=r"(chunk.words[0]), "=r"(chunk.words[1]), "=r"(chunk.words[2]), "=r"(chunk.words[3])
               : "r"(from_smem)
               : "memory");
  return chunk;
}

/// st.shared.b32: 4 bytes, 4-byte aligned.
__device__ __forceinline__ void st_shared_4(uint32_t to_smem, uint32_t value) {
  asm volatile("st.shared.b32 [%0], %1;" ::"r"(to_smem), "r"(value) : "memory");
}

/// st.shared.v2.f32: 8 bytes, 8-byte aligned.
__device__ __forceinline__ void st_shared_8(uint32_t to_smem, Pair pair) {
  asm volatile("st.shared.v2.f32 [%0], {%1, %2};" ::"r"(to_smem), "f"(pair.low), "f"(pair.high) : "memory");
}

/// st.shared.v4.b32: 16 bytes, 16-byte aligned.
__device__ __forceinline__ void st_shared_16(uint32_t to_smem, Chunk chunk) {
  asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(to_smem), "r"(chunk.words[0]), "r"(chunk.words[1]),
               "r"(chunk.words[2]), "r"(chunk.words[3])
               : "memory");
}

// --- Global memory and registers -------------------------------------------------------------------------------

/// ld.global.b32: 4 bytes, 4-byte aligned.
__device__ __forceinline__ uint32_t ld_global_4(const void* from_gmem) {
  uint32_t value;
  asm volatile("ld.global.b32 %0, [%1];" : "=r"(value) : "l"(from_gmem) : "memory");
  return value;
}

/// st.global.b32: 4 bytes, 4-byte aligned.
__device__ __forceinline__ void st_global_4(void* to_gmem, uint32_t value) {
  asm volatile("st.global.b32 [%0], %1;" ::"l"(to_gmem), "r"(value) : "memory");
}

/// ld.global.v4.b32: 16 bytes, 16-byte aligned.
__device__ __forceinline__ Chunk ld_global_16(const void* from_gmem) {
  Chunk chunk;
  asm volatile("ld.global.v4.b32 {%0, %1, %2, %3}, [%4];"
               : "=r"(chunk.words[0]), "=r"(chunk.words[1]), "=r"(chunk.words[2]), "=r"(chunk.words[3])
               : "l"(from_gmem)
               : "memory");
  return chunk;
}

/// st.global.v4.b32: 16 bytes, 16-byte aligned.
__device__ __forceinline__ void st_global_16(void* to_gmem, Chunk chunk) {
  asm volatile("st.global.v4.b32 [%0], {%1, %2, %3, %4};" ::"l"(to_gmem), "r"(chunk.words[0]), "r"(chunk.words[1]),
               "r"(chunk.words[2]), "r"(chunk.words[3])
               : "memory");
}

/// st_global_16 that leaves L1 alone: st.relaxed.gpu.global.L1::no_allocate.
__device__ __forceinline__ void st_global_16_no_allocate(void* to_gmem, Chunk chunk) {
  asm volatile("st.relaxed.gpu.global.L1::no_allocate.v4.b32 [%0], {%1, %2, %3, %4};" ::"l"(to_gmem),
               "r"(chunk.words[0]), "r"(chunk.words[1]), "r"(chunk.words[2]), "r"(chunk.words[3])
               : "memory");
}

/// st_global_16_no_allocate under a predicate: lanes of which it does not hold store nothing.
__device__ __forceinline__ void st_global_16_no_allocate_if(bool condition, void* to_gmem, Chunk chunk) {
  asm volatile(
      "{.reg .pred p;\n"
      " setp.ne.b32 p, %5, 0;\n"
      " @p st.relaxed.gpu.global.L1::no_allocate.v4.b32 [%0], {%1, %2, %3, %4};}" ::"l"(to_gmem),
      "r"(chunk.words[0]), "r"(chunk.words[1]), "r"(chunk.words[2]), "r"(chunk.words[3]),
      "r"(static_cast<int>(condition))
      : "memory");
}

/// st_global_4 under a predicate.
__device__ __forceinline__ void st_global_4_if(bool condition, void* to_gmem, uint32_t value) {
  asm volatile(
      "{.reg .pred p;\n"
      " setp.ne.b32 p, %2, 0;\n"
      " @p st.global.b32 [%0], %1;}" ::"l"(to_gmem),
      "r"(value), "r"(static_cast<int>(condition))
      : "memory");
}

/// red.global.add.f32: adds to 4 bytes, 4-byte aligned, in L2, and delivers nothing. CTAs may add to the same bytes at
/// the same time, in an order that nobody knows; nobody may read or store them in the same launch.
/// Subnormal numbers become zeros. On the emulator the CTAs add in the order of their numbers.
__device__ __forceinline__ void red_global_add(float* to_gmem, float value) {
  asm volatile("red.global.add.f32 [%0], %1;" ::"l"(to_gmem), "f"(value) : "memory");
}

// --- Arithmetic ------------------------------------------------------------------------------------------------

/// mma.sync.aligned.m16n8k16.row.col with 16-bit operands and fp32 accumulation: d = a·b + c.
/// With g = lane / 4 and t = lane % 4: a holds A (16×16) as elements (g, 2t..2t+1), (g + 8, 2t..), (g, 2t + 8..),
/// (g + 8, 2t + 8..); b0 and b1 hold B (16×8) as (2t..2t+1, g) and (2t + 8.., g); c and d hold C and D (16×8) as
/// (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1).
template <typename T>
__device__ __forceinline__ void mma_m16n8k16(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1,
                                             const float (&c)[4]);

template <>
__device__ __forceinline__ void mma_m16n8k16<fp16_t>(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1,
                                                     const float (&c)[4]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%10, %11, %12, %13};"
      : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1), "f"(c[0]), "f"(c[1]), "f"(c[2]), "f"(c[3]));
}

template <>
__device__ __forceinline__ void mma_m16n8k16<bf16_t>(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1,
                                                     const float (&c)[4]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%10, %11, %12, %13};"
      : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1), "f"(c[0]), "f"(c[1]), "f"(c[2]), "f"(c[3]));
}

/// ex2.approx.ftz.f32: 2 to the power of x; 0 for −∞.
__device__ __forceinline__ float exp2_approx(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

/// cvt.rn.{f16x2,bf16x2}.f32: two floats rounded to 16 bits, `low` in the lower half.
template <typename T>
__device__ __forceinline__ uint32_t pack2(float low, float high);

template <>
__device__ __forceinline__ uint32_t pack2<fp16_t>(float low, float high) {
  uint32_t packed;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
}

template <>
__device__ __forceinline__ uint32_t pack2<bf16_t>(float low, float high) {
  uint32_t packed;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
}

/// cvt.f32.{f16,bf16} of both halves of a register, `low` of the lower one.
template <typename T>
__device__ __forceinline__ Pair unpack2(uint32_t packed);

template <>
__device__ __forceinline__ Pair unpack2<fp16_t>(uint32_t packed) {
  Pair pair;
  asm("{.reg .b16 low, high;\n"
      " mov.b32 {low, high}, %2;\n"
      " cvt.f32.f16 %0, low;\n"
      " cvt.f32.f16 %1, high;}"
      : "=f"(pair.low), "=f"(pair.high)
      : "r"(packed));
  return pair;
}

/// A bf16 is the upper half of a float: a shift and a mask.
template <>
__device__ __forceinline__ Pair unpack2<bf16_t>(uint32_t packed) {
  return {float_of(packed << 16), float_of(packed & 0xffff0000u)};
}

/// prmt.b32: the bytes of `low` have the numbers 0 to 3, those of `high` 4 to 7. Of the result each byte, from the
/// lowest on, is the one that a hexadecimal digit of `selector` names; 8 more than a number makes all its bits that
/// byte's highest.
__device__ __forceinline__ uint32_t permute_bytes(uint32_t low, uint32_t high, uint32_t selector) {
  uint32_t permuted;
  asm("prmt.b32 %0, %1, %2, %3;" : "=r"(permuted) : "r"(low), "r"(high), "r"(selector));
  return permuted;
}

// --- Between threads -------------------------------------------------------------------------------------------

/// shfl.sync.bfly.b32: the value of the lane whose number differs in the bits of `lane_mask`.
__device__ __forceinline__ float shfl_xor(float value, int lane_mask) {
  return __shfl_xor_sync(0xffffffffu, value, lane_mask);
}

/// vote.sync.any.pred: whether the condition holds in any lane of the warp.
__device__ __forceinline__ bool any_of_warp(bool condition) { return __any_sync(0xffffffffu, condition) != 0; }

/// bar.sync 0: all threads of the CTA arrive, and see what any of them wrote to shared memory before.
__device__ __forceinline__ void barrier() { __syncthreads(); }

/// bar.warp.sync: the same among the 32 lanes of a warp.
__device__ __forceinline__ void warp_barrier() { __syncwarp(); }

}  // namespace on_gpu
}  // namespace flash_steps

#include "kernels/isa_wmma.cuh"

#endif  // __CUDACC__
