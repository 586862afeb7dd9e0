// WMMA, a part of the vocabulary in isa.cuh: products of matrices in fragments that these words alone can read.
//
// A fragment has 16×16 elements, which the 32 lanes of a warp hold together; PTX leaves open which lane holds which.
// All lanes give the same address, a multiple of 32 bytes, and the same stride: the elements from one row of the matrix
// (of a B in columns: from one column) to the next, of which the bytes are a multiple of 16.
#pragma once

#include <cstdint>

#include "kernels/element.h"

namespace flash_steps {
inline namespace on_gpu {

template <typename T>
struct Fragment;
template <>
struct Fragment<fp16_t> {
  uint32_t regs[8];  // of which the second four repeat the first
};
template <>
struct Fragment<bf16_t> {
  uint32_t regs[4];
};

/// Types of their own, because wmma_mma must be told what was loaded: A in rows, B in rows, B in columns.
template <typename T>
struct FragmentA : Fragment<T> {};
template <typename T>
struct FragmentBRow : Fragment<T> {};
template <typename T>
struct FragmentBCol : Fragment<T> {};

/// C and D.
struct FragmentC {
  float regs[8];
};

/// wmma.load.a.sync.aligned.row.m16n16k16.shared: one ldmatrix.x4 in machine code, as are the loads of B.
__device__ __forceinline__ void wmma_load_a(FragmentA<fp16_t>& a, uint32_t from_smem, int stride) {
  asm volatile("wmma.load.a.sync.aligned.row.m16n16k16.shared.f16 {%0, %1, %2, %3, %4, %5, %6, %7}, [%8], %9;"
               : "=r"(a.regs[0]), "=r"(a.regs[1]), "=r"(a.regs[2]), "=r"(a.regs[3]), "=r"(a.regs[4]), "=r"(a.regs[5]),
                 "=r"(a.regs[6]), "=r"(a.regs[7])
               : "r"(from_smem), "r"(stride)
               : "memory");
}

__device__ __forceinline__ void wmma_load_a(FragmentA<bf16_t>& a, uint32_t from_smem, int stride) {
  asm volatile("wmma.load.a.sync.aligned.row.m16n16k16.shared.bf16 {%0, %1, %2, %3}, [%4], %5;"
               : "=r"(a.regs[0]), "=r"(a.regs[1]), "=r"(a.regs[2]), "=r"(a.regs[3])
               : "r"(from_smem), "r"(stride)
               : "memory");
}

/// wmma.load.b.sync.aligned.row.m16n16k16.shared
__device__ __forceinline__ void wmma_load_b_row(FragmentBRow<fp16_t>& b, uint32_t from_smem, int stride) {
  asm volatile("wmma.load.b.sync.aligned.row.m16n16k16.shared.f16 {%0, %1, %2, %3, %4, %5, %6, %7}, [%8], %9;"
               : "=r"(b.regs[0]), "=r"(b.regs[1]), "=r"(b.regs[2]), "=r"(b.regs[3]), "=r"(b.regs[4]), "=r"(b.regs[5]),
                 "=r"(b.regs[6]), "=r"(b.regs[7])
               : "r"(from_smem), "r"(stride)
               : "memory");
}

__device__ __forceinline__ void wmma_load_b_row(FragmentBRow<bf16_t>& b, uint32_t from_smem, int stride) {
  asm volatile("wmma.load.b.sync.aligned.row.m16n16k16.shared.bf16 {%0, %1, %2, %3}, [%4], %5;"
               : "=r"(b.regs[0]), "=r"(b.regs[1]), "=r"(b.regs[2]), "=r"(b.regs[3])
               : "r"(from_smem), "r"(stride)
               : "memory");
}

/// wmma.load.b.sync.aligned.col.m16n16k16.shared
__device__ __forceinline__ void wmma_load_b_col(FragmentBCol<fp16_t>& b, uint32_t from_smem, int stride) {
  asm volatile("wmma.load.b.sync.aligned.col.m16n16k16.shared.f16 {%0, %1, %2, %3, %4, %5, %6, %7}, [%8], %9;"
               : "=r"(b.regs[0]), "=r"(b.regs[1]), "=r"(b.regs[2]), "=r"(b.regs[3]), "=r"(b.regs[4]), "=r"(b.regs[5]),
                 "=r"(b.regs[6]), "=r"(b.regs[7])
               : "r"(from_smem), "r"(stride)
               : "memory");
}

__device__ __forceinline__ void wmma_load_b_col(FragmentBCol<bf16_t>& b, uint32_t from_smem, int stride) {
  asm volatile("wmma.load.b.sync.aligned.col.m16n16k16.shared.bf16 {%0, %1, %2, %3}, [%4], %5;"
               : "=r"(b.regs[0]), "=r"(b.regs[1]), "=r"(b.regs[2]), "=r"(b.regs[3])
               : "r"(from_smem), "r"(stride)
               : "memory");
}

/// wmma.mma.sync.aligned.row.{row,col}.m16n16k16 with fp32 accumulation: c += a·b, two mma in machine code.
__device__ __forceinline__ void wmma_mma(FragmentC& c, const FragmentA<fp16_t>& a, const FragmentBRow<fp16_t>& b) {
  asm("wmma.mma.sync.aligned.row.row.m16n16k16.f32.f32 {%0, %1, %2, %3, %4, %5, %6, %7}, "
      "{%8, %9, %10, %11, %12, %13, %14, %15}, {%16, %17, %18, %19, %20, %21, %22, %23}, {%0, %1, %2, %3, %4, %5, %6, "
      "%7};"
      : "+f"(c.regs[0]), "+f"(c.regs[1]), "+f"(c.regs[2]), "+f"(c.regs[3]), "+f"(c.regs[4]), "+f"(c.regs[5]),
        "+f"(c.regs[6]), "+f"(c.regs[7])
      : "r"(a.regs[0]), "r"(a.regs[1]), "r"(a.regs[2]), "r"(a.regs[3]), "r"(a.regs[4]), "r"(a.regs[5]), "r"(a.regs[6]),
        "r"(a.regs[7]), "r"(b.regs[0]), "r"(b.regs[1]), "r"(b.regs[2]), "r"(b.regs[3]), "r"(b.regs[4]), "r"(b.regs[5]),
        "r"(b.regs[6]), "r"(b.regs[7]));
}

__device__ __forceinline__ void wmma_mma(FragmentC& c, const FragmentA<bf16_t>& a, const FragmentBRow<bf16_t>& b) {
  asm("wmma.mma.sync.aligned.row.row.m16n16k16.f32.bf16.bf16.f32 {%0, %1, %2, %3, %4, %5, %6, %7}, "
      "{%8, %9, %10, %11}, {%12, %13, %14, %15}, {%0, %1, %2, %3, %4, %5, %6, %7};"
      : "+f"(c.regs[0]), "+f"(c.regs[1]), "+f"(c.regs[2]), "+f"(c.regs[3]), "+f"(c.regs[4]), "+f"(c.regs[5]),
        "+f"(c.regs[6]), "+f"(c.regs[7])
      : "r"(a.regs[0]), "r"(a.regs[1]), "r"(a.regs[2]), "r"(a.regs[3]), "r"(b.regs[0]), "r"(b.regs[1]), "r"(b.regs[2]),
        "r"(b.regs[3]));
}

__device__ __forceinline__ void wmma_mma(FragmentC& c, const FragmentA<fp16_t>& a, const FragmentBCol<fp16_t>& b) {
  asm("wmma.mma.sync.aligned.row.col.m16n16k16.f32.f32 {%0, %1, %2, %3, %4, %5, %6, %7}, "
      "{%8, %9, %10, %11, %12, %13, %14, %15}, {%16, %17, %18, %19, %20, %21, %22, %23}, {%0, %1, %2, %3, %4, %5, %6, "
      "%7};"
      : "+f"(c.regs[0]), "+f"(c.regs[1]), "+f"(c.regs[2]), "+f"(c.regs[3]), "+f"(c.regs[4]), "+f"(c.regs[5]),
        "+f"(c.regs[6]), "+f"(c.regs[7])
      : "r"(a.regs[0]), "r"(a.regs[1]), "r"(a.regs[2]), "r"(a.regs[3]), "r"(a.regs[4]), "r"(a.regs[5]), "r"(a.regs[6]),
        "r"(a.regs[7]), "r"(b.regs[0]), "r"(b.regs[1]), "r"(b.regs[2]), "r"(b.regs[3]), "r"(b.regs[4]), "r"(b.regs[5]),
        "r"(b.regs[6]), "r"(b.regs[7]));
}

__device__ __forceinline__ void wmma_mma(FragmentC& c, const FragmentA<bf16_t>& a, const FragmentBCol<bf16_t>& b) {
  asm("wmma.mma.sync.aligned.row.col.m16n16k16.f32.bf16.bf16.f32 {%0, %1, %2, %3, %4, %5, %6, %7}, "
      "{%8, %9, %10, %11}, {%12, %13, %14, %15}, {%0, %1, %2, %3, %4, %5, %6, %7};"
      : "+f"(c.regs[0]), "+f"(c.regs[1]), "+f"(c.regs[2]), "+f"(c.regs[3]), "+f"(c.regs[4]), "+f"(c.regs[5]),
        "+f"(c.regs[6]), "+f"(c.regs[7])
      : "r"(a.regs[0]), "r"(a.regs[1]), "r"(a.regs[2]), "r"(a.regs[3]), "r"(b.regs[0]), "r"(b.regs[1]), "r"(b.regs[2]),
        "r"(b.regs[3]));
}

/// wmma.store.d.sync.aligned.row.m16n16k16.shared.f32: four 8-byte stores in machine code.
__device__ __forceinline__ void wmma_store_d(uint32_t to_smem, const FragmentC& d, int stride) {
  asm volatile(
      "wmma.store.d.sync.aligned.row.m16n16k16.shared.f32 [%0], {%1, %2, %3, %4, %5, %6, %7, %8}, %9;" ::"r"(to_smem),
      "f"(d.regs[0]), "f"(d.regs[1]), "f"(d.regs[2]), "f"(d.regs[3]), "f"(d.regs[4]), "f"(d.regs[5]), "f"(d.regs[6]),
      "f"(d.regs[7]), "r"(stride)
      : "memory");
}

}  // namespace on_gpu
}  // namespace flash_steps
