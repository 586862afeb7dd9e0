// The words of kernels/isa_wmma.cuh on the emulator.
//
// Fragments are laid out as the machine code of sm_80 to sm_90 has them: those of A and B as ldmatrix.x4 and
// mma.m16n8k16 do, that of C and D as two results of mma.m16n8k16 side by side.
#pragma once

#include <cstdint>
#include <type_traits>

#include "harness/emulator/words/source_line.h"
#include "kernels/element.h"

namespace flash_steps {
inline namespace on_emulator {

struct Fragment {
  uint32_t regs[4];
};

template <typename T>
struct FragmentA : Fragment {};
template <typename T>
struct FragmentBRow : Fragment {};
template <typename T>
struct FragmentBCol : Fragment {};

struct FragmentC {
  float regs[8];
};

namespace wmma {

void load_a(Fragment& a, uint32_t from_smem, int stride, SourceLine line);
void load_b_row(Fragment& b, uint32_t from_smem, int stride, SourceLine line);
void load_b_col(Fragment& b, uint32_t from_smem, int stride, SourceLine line);
void mma(FragmentC& c, const Fragment& a, const Fragment& b, bool is_fp16, SourceLine line);

}  // namespace wmma

template <typename T>
void wmma_load_a(FragmentA<T>& a, uint32_t from_smem, int stride, SourceLine line = SourceLine::here()) {
  wmma::load_a(a, from_smem, stride, line);
}

template <typename T>
void wmma_load_b_row(FragmentBRow<T>& b, uint32_t from_smem, int stride, SourceLine line = SourceLine::here()) {
  wmma::load_b_row(b, from_smem, stride, line);
}

template <typename T>
void wmma_load_b_col(FragmentBCol<T>& b, uint32_t from_smem, int stride, SourceLine line = SourceLine::here()) {
  wmma::load_b_col(b, from_smem, stride, line);
}

template <typename T>
void wmma_mma(FragmentC& c, const FragmentA<T>& a, const FragmentBRow<T>& b, SourceLine line = SourceLine::here()) {
  wmma::mma(c, a, b, std::is_same_v<T, fp16_t>, line);
}

template <typename T>
void wmma_mma(FragmentC& c, const FragmentA<T>& a, const FragmentBCol<T>& b, SourceLine line = SourceLine::here()) {
  wmma::mma(c, a, b, std::is_same_v<T, fp16_t>, line);
}

void wmma_store_d(uint32_t to_smem, const FragmentC& d, int stride, SourceLine line = SourceLine::here());

}  // namespace on_emulator
}  // namespace flash_steps
