// The words of kernels/isa_sm90.cuh on the emulator.
//
// What each word does is said in kernels/isa_sm90.cuh. Here those of mbarriers and of the TMA unit are executed for the
// lanes that call them, stmatrix_x4, setmaxnreg and the named barriers for the warp, and the wgmma for the warpgroup.
#pragma once

#include <cstdint>

#include "harness/emulator/words/isa.h"

#ifndef __grid_constant__
#define __grid_constant__
#endif

namespace flash_steps {

struct TensorMap;  // harness/contract/kernel.h

inline namespace on_emulator {

// --- mbarriers -------------------------------------------------------------------------------------------------

void mbarrier_init(uint32_t barrier_smem, int arrivals, SourceLine line = SourceLine::here());
void mbarrier_init_fence(SourceLine line = SourceLine::here());
void mbarrier_arrive(uint32_t barrier_smem, SourceLine line = SourceLine::here());
void mbarrier_arrive_expect_tx(uint32_t barrier_smem, int bytes, SourceLine line = SourceLine::here());
void mbarrier_wait(uint32_t barrier_smem, int parity, SourceLine line = SourceLine::here());

// --- TMA -------------------------------------------------------------------------------------------------------

bool elect_one(SourceLine line = SourceLine::here());
void tma_load(uint32_t to_smem, const TensorMap& map, int c0, int c1, int c2, int c3, int c4, uint32_t barrier_smem,
              SourceLine line = SourceLine::here());
void tma_store(const TensorMap& map, int c0, int c1, int c2, int c3, int c4, uint32_t from_smem,
               SourceLine line = SourceLine::here());
void tma_store_commit(SourceLine line = SourceLine::here());
void tma_store_wait_group_read(int pending, SourceLine line);

template <int pending>
void tma_store_wait_read(SourceLine line = SourceLine::here()) {
  static_assert(pending >= 0, "cp.async.bulk.wait_group counts groups from 0");
  tma_store_wait_group_read(pending, line);
}

void proxy_fence(SourceLine line = SourceLine::here());

// --- The tensor core of a warpgroup ----------------------------------------------------------------------------

constexpr uint64_t descriptor(uint32_t smem, int leading_bytes, int stride_bytes) {
  return uint64_t{(smem & 0x3ffff) >> 4} | uint64_t(leading_bytes >> 4) << 16 | uint64_t(stride_bytes >> 4) << 32 |
         uint64_t{1} << 62;
}

void wgmma_fence(SourceLine line = SourceLine::here());
void wgmma_commit(SourceLine line = SourceLine::here());
void wgmma_wait_group(int pending, float* d, SourceLine line);

template <int pending>
void wgmma_wait(float (&d)[16][4], SourceLine line = SourceLine::here()) {
  static_assert(pending >= 0, "wgmma.wait_group counts groups from 0");
  wgmma_wait_group(pending, d[0], line);
}

template <typename T>
void wgmma_m64n128k16(float (&d)[16][4], uint64_t a, uint64_t b, bool accumulate, SourceLine line = SourceLine::here());
template <>
void wgmma_m64n128k16<fp16_t>(float (&d)[16][4], uint64_t a, uint64_t b, bool accumulate, SourceLine line);
template <>
void wgmma_m64n128k16<bf16_t>(float (&d)[16][4], uint64_t a, uint64_t b, bool accumulate, SourceLine line);

template <typename T>
void wgmma_m64n128k16_trans(float (&d)[16][4], const uint32_t (&a)[4], uint64_t b,
                            SourceLine line = SourceLine::here());
template <>
void wgmma_m64n128k16_trans<fp16_t>(float (&d)[16][4], const uint32_t (&a)[4], uint64_t b, SourceLine line);
template <>
void wgmma_m64n128k16_trans<bf16_t>(float (&d)[16][4], const uint32_t (&a)[4], uint64_t b, SourceLine line);

// --- Between the warps of a CTA --------------------------------------------------------------------------------

void set_registers(int registers, bool more, SourceLine line);

template <int registers>
void setmaxnreg_dec(SourceLine line = SourceLine::here()) {
  set_registers(registers, false, line);
}

template <int registers>
void setmaxnreg_inc(SourceLine line = SourceLine::here()) {
  set_registers(registers, true, line);
}

void named_barrier(int id, int threads, bool wait, SourceLine line);

template <int id>
void named_barrier_sync(int threads, SourceLine line = SourceLine::here()) {
  static_assert(0 < id && id < 16, "a CTA has the barriers 0 to 15, and 0 is barrier()");
  named_barrier(id, threads, true, line);
}

template <int id>
void named_barrier_arrive(int threads, SourceLine line = SourceLine::here()) {
  static_assert(0 < id && id < 16, "a CTA has the barriers 0 to 15, and 0 is barrier()");
  named_barrier(id, threads, false, line);
}

void stmatrix_x4(uint32_t to_smem, const uint32_t (&regs)[4], SourceLine line = SourceLine::here());

}  // namespace on_emulator
}  // namespace flash_steps
