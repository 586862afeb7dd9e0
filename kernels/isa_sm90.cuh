// The vocabulary of Hopper, beside that of isa.cuh: the words that only sm_90a has, and those that are of use only
// there.
//
// On the emulator (harness/emulator/words/isa_sm90.h) a word does what is said here, and checks what the hardware
// would not. Unless a word says otherwise, the 32 lanes of a warp call it together.
#pragma once

#include "isa.cuh"

#ifndef __CUDACC__

#include "harness/emulator/words/isa_sm90.h"

#else

namespace flash_steps {

struct TensorMap;  // harness/contract/kernel.h

inline namespace on_gpu {

// --- mbarriers: 8 bytes of shared memory that count arrivals and bytes ----------------------------------------------
// A phase of an mbarrier ends when all arrivals and all bytes that it expects have come, and the next one begins. Any
// number of lanes may call these words, each for itself.

/// mbarrier.init: the barrier expects so many arrivals in each phase. Before others may use it: mbarrier_init_fence()
/// by the same thread, then barrier().
__device__ __forceinline__ void mbarrier_init(uint32_t barrier_smem, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier_smem), "r"(arrivals) : "memory");
}

/// fence.mbarrier_init: the unit that copies tensors sees the barriers that this thread made.
__device__ __forceinline__ void mbarrier_init_fence() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}

/// mbarrier.arrive: one arrival; what this thread did before is seen by who waits for the phase.
__device__ __forceinline__ void mbarrier_arrive(uint32_t barrier_smem) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier_smem) : "memory");
}

/// mbarrier.arrive.expect_tx: one arrival, and the phase ends no sooner than so many bytes have been copied.
__device__ __forceinline__ void mbarrier_arrive_expect_tx(uint32_t barrier_smem, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier_smem), "r"(bytes) : "memory");
}

/// mbarrier.try_wait.parity until it succeeds: waits for the end of the phase with this parity. Phases are counted from
/// 0; on a fresh barrier parity 1 waits for nothing.
__device__ __forceinline__ void mbarrier_wait(uint32_t barrier_smem, int parity) {
  asm volatile(
      "{\n"
      ".reg .pred done;\n"
      "again:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
      "@!done bra again;\n"
      "}" ::"r"(barrier_smem),
      "r"(parity)
      : "memory");
}

// --- TMA: one thread copies a whole box of a tensor -----------------------------------------------------------------

/// elect.sync: true in one lane of the warp.
__device__ __forceinline__ bool elect_one() {
  uint32_t elected;
  asm volatile(
      "{\n"
      ".reg .pred elected;\n"
      "elect.sync _|elected, 0xffffffff;\n"
      "selp.b32 %0, 1, 0, elected;\n"
      "}"
      : "=r"(elected));
  return elected != 0;
}

/// cp.async.bulk.tensor.5d from global to shared memory: starts to copy the box at these coordinates, innermost first.
/// Each of its bytes counts as one of those that the barrier expects. One lane calls it.
__device__ __forceinline__ void tma_load(uint32_t to_smem, const TensorMap& map, int c0, int c1, int c2, int c3, int c4,
                                         uint32_t barrier_smem) {
  asm volatile(
      "cp.async.bulk.tensor.5d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
      "[%0], [%1, {%2, %3, %4, %5, %6}], [%7];" ::"r"(to_smem),
      "l"(&map), "r"(c0), "r"(c1), "r"(c2), "r"(c3), "r"(c4), "r"(barrier_smem)
      : "memory");
}

/// cp.async.bulk.tensor.5d from shared to global memory: starts to copy a box. One lane calls it, and commits it.
__device__ __forceinline__ void tma_store(const TensorMap& map, int c0, int c1, int c2, int c3, int c4,
                                          uint32_t from_smem) {
  asm volatile(
      "cp.async.bulk.tensor.5d.global.shared::cta.tile.bulk_group [%0, {%1, %2, %3, %4, %5}], [%6];" ::"l"(&map),
      "r"(c0), "r"(c1), "r"(c2), "r"(c3), "r"(c4), "r"(from_smem)
      : "memory");
}

/// cp.async.bulk.commit_group: the stores that this thread started since its last commit become one group.
__device__ __forceinline__ void tma_store_commit() { asm volatile("cp.async.bulk.commit_group;" ::: "memory"); }

/// cp.async.bulk.wait_group.read: waits until at most `pending` of this thread's groups still read shared memory.
template <int pending>
__device__ __forceinline__ void tma_store_wait_read() {
  asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(pending) : "memory");
}

/// fence.proxy.async: what this thread wrote to shared memory (st, stmatrix, cp.async that it waited for) is seen by
/// the tensor cores and the TMA unit, which read by a path of their own; by what others start, after a barrier.
__device__ __forceinline__ void proxy_fence() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

// --- The tensor core of a warpgroup: four warps, of which the first has a number divisible by four ------------------

/// The descriptor of an operand in shared memory that is swizzled by 128 bytes. What lies eight rows further on is
/// `stride_bytes` away, what lies beyond the 128 bytes of a row `leading_bytes`. The tile begins at a multiple of 1024.
__device__ __forceinline__ uint64_t descriptor(uint32_t smem, int leading_bytes, int stride_bytes) {
  return uint64_t{(smem & 0x3ffff) >> 4} | uint64_t(leading_bytes >> 4) << 16 | uint64_t(stride_bytes >> 4) << 32 |
         uint64_t{1} << 62;
}

/// wgmma.fence: registers that the next wgmma reads or writes have been read and written by what came before. Needed
/// before the first wgmma, and after each access to its registers but by a wgmma of the same shape.
__device__ __forceinline__ void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }

/// wgmma.commit_group: the wgmma that this warpgroup started since its last commit become one group.
__device__ __forceinline__ void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

#define FLASH_STEPS_FLOATS_4(d, n) "+f"(d[n][0]), "+f"(d[n][1]), "+f"(d[n][2]), "+f"(d[n][3])
#define FLASH_STEPS_FLOATS_16(d, n)                                                           \
  FLASH_STEPS_FLOATS_4(d, n), FLASH_STEPS_FLOATS_4(d, n + 1), FLASH_STEPS_FLOATS_4(d, n + 2), \
      FLASH_STEPS_FLOATS_4(d, n + 3)
#define FLASH_STEPS_FLOATS_64(d) \
  FLASH_STEPS_FLOATS_16(d, 0), FLASH_STEPS_FLOATS_16(d, 4), FLASH_STEPS_FLOATS_16(d, 8), FLASH_STEPS_FLOATS_16(d, 12)
#define FLASH_STEPS_REGISTERS_64                                                                               \
  "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, " \
  "%23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, "  \
  "%44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}"

/// wgmma.wait_group: waits until at most `pending` of this warpgroup's groups are under way. `d` is what the groups
/// that are waited for write: from here on it may be read.
template <int pending>
__device__ __forceinline__ void wgmma_wait(float (&d)[16][4]) {
  asm volatile("wgmma.wait_group.sync.aligned %64;" : FLASH_STEPS_FLOATS_64(d) : "n"(pending) : "memory");
}

/// wgmma.mma_async.m64n128k16 with 16-bit operands and fp32 accumulation: d = a·b + (accumulate ? d : 0). A (64×16) and
/// B (16×128) lie in shared memory, each with k along its rows of 128 bytes. Warp w of the warpgroup holds rows 16w on:
/// with g = lane / 4 and t = lane % 4, d[n] holds (g, 8n + 2t), (g, 8n + 2t + 1), (g + 8, 8n + 2t), (g + 8, 8n + 2t +
/// 1).
template <typename T>
__device__ __forceinline__ void wgmma_m64n128k16(float (&d)[16][4], uint64_t a, uint64_t b, bool accumulate);

/// The same with A in registers, as mma_m16n8k16 has it, and B with n along its rows: d = a·b + d.
template <typename T>
__device__ __forceinline__ void wgmma_m64n128k16_trans(float (&d)[16][4], const uint32_t (&a)[4], uint64_t b);

#define FLASH_STEPS_WGMMA(T, type)                                                                                 \
  template <>                                                                                                      \
  __device__ __forceinline__ void wgmma_m64n128k16<T>(float(&d)[16][4], uint64_t a, uint64_t b, bool accumulate) { \
    asm volatile(                                                                                                  \
        "{\n"                                                                                                      \
        ".reg .pred accumulate;\n"                                                                                 \
        "setp.ne.b32 accumulate, %66, 0;\n"                                                                        \
        "wgmma.mma_async.sync.aligned.m64n128k16.f32." type "." type " " FLASH_STEPS_REGISTERS_64                  \
        ", %64, %65, accumulate, 1, 1, 0, 0;\n"                                                                    \
        "}"                                                                                                        \
        : FLASH_STEPS_FLOATS_64(d)                                                                                 \
        : "l"(a), "l"(b), "r"(static_cast<int>(accumulate))                                                        \
        : "memory");                                                                                               \
  }                                                                                                                \
  template <>                                                                                                      \
  __device__ __forceinline__ void wgmma_m64n128k16_trans<T>(float(&d)[16][4], const uint32_t(&a)[4], uint64_t b) { \
    asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32." type "." type " " FLASH_STEPS_REGISTERS_64         \
                 ", {%64, %65, %66, %67}, %68, 1, 1, 1, 1;\n"                                                      \
                 : FLASH_STEPS_FLOATS_64(d)                                                                        \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b)                                              \
                 : "memory");                                                                                      \
  }

FLASH_STEPS_WGMMA(fp16_t, "f16")
FLASH_STEPS_WGMMA(bf16_t, "bf16")

#undef FLASH_STEPS_WGMMA
#undef FLASH_STEPS_REGISTERS_64
#undef FLASH_STEPS_FLOATS_64
#undef FLASH_STEPS_FLOATS_16
#undef FLASH_STEPS_FLOATS_4

// --- Between the warps of a CTA -------------------------------------------------------------------------------------

/// setmaxnreg.dec, .inc: each thread of this warpgroup gives registers up, or takes those that others gave up, waiting
/// for them. It has `registers` then, a multiple of 8. The kernel needs __launch_bounds__ with both numbers.
template <int registers>
__device__ __forceinline__ void setmaxnreg_dec() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(registers));
}

template <int registers>
__device__ __forceinline__ void setmaxnreg_inc() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(registers));
}

/// bar.sync, bar.arrive: barrier `id`, from 1 to 15, of `threads` threads, all those of whole warps. Who syncs waits
/// for the others and sees what they wrote before; who arrives goes on.
template <int id>
__device__ __forceinline__ void named_barrier_sync(int threads) {
  asm volatile("bar.sync %0, %1;" ::"n"(id), "r"(threads) : "memory");
}

template <int id>
__device__ __forceinline__ void named_barrier_arrive(int threads) {
  asm volatile("bar.arrive %0, %1;" ::"n"(id), "r"(threads) : "memory");
}

/// stmatrix.sync.aligned.m8n8.x4.shared.b16: the way back of ldmatrix_x4.
__device__ __forceinline__ void stmatrix_x4(uint32_t to_smem, const uint32_t (&regs)[4]) {
  asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(to_smem), "r"(regs[0]),
               "r"(regs[1]), "r"(regs[2]), "r"(regs[3])
               : "memory");
}

}  // namespace on_gpu
}  // namespace flash_steps

#endif  // __CUDACC__
