#include <chrono>
#include <limits>

#include "benchmark/ceilings/wgmma.h"
#include "harness/gpu/cuda/check.cuh"
#include "harness/gpu/cuda/device_array.h"
#include "harness/gpu/cuda/event.cuh"
#include "kernels/isa.cuh"
#include "kernels/isa_sm90.cuh"

namespace flash_steps::ceilings {
namespace {

constexpr int warpgroups = 4;  // one CTA an SM: four warps on each tensor core
constexpr int threads = warpgroups * 128;
constexpr int slices = 8;  // k-slices of 16 of the operands, which are as long as head_dim
constexpr int half_row_bytes = 128;
constexpr int a_rows = 64;
constexpr int b_rows = 128;
constexpr int a_bytes = 2 * a_rows * half_row_bytes;
constexpr int b_bytes = 2 * b_rows * half_row_bytes;
constexpr int iterations = 1024;  // about two milliseconds
constexpr double flop_of_wgmma = 2.0 * 64 * 128 * 16;
constexpr std::chrono::milliseconds measuring_time{100};

// Two halves between -2 and 2, different ones in each place: of zeros the multipliers would draw less power than of
// numbers, and the clocks would be higher than a kernel finds them.
__device__ uint32_t some_halves(uint32_t which) { return (which + 1) * 2654435761u & 0xbfffbfffu; }

// S = Q·Kᵀ of 64 rows, or O += P·V, of operands that stay where they are.
template <LeftOperand left>
__device__ __forceinline__ void multiply_slices(float (&sums)[16][4], uint32_t a_smem, const uint32_t (&a)[slices][4],
                                                uint32_t b_smem) {
  const uint64_t a_desc = descriptor(a_smem, 0, 8 * half_row_bytes);
  const uint64_t along_desc = descriptor(b_smem, 0, 8 * half_row_bytes);
  const uint64_t across_desc = descriptor(b_smem, b_rows * half_row_bytes, 8 * half_row_bytes);
  wgmma_fence();
#pragma unroll
  for (int d = 0; d < slices; d++) {
    if constexpr (left == LeftOperand::shared_memory) {
      const int a_step = (d / 4 * a_rows * half_row_bytes + d % 4 * 32) / 16;
      const int b_step = (d / 4 * b_rows * half_row_bytes + d % 4 * 32) / 16;
      wgmma_m64n128k16<fp16_t>(sums, a_desc + a_step, along_desc + b_step, true);
    } else {
      wgmma_m64n128k16_trans<fp16_t>(sums, a[d], across_desc + d * 16 * half_row_bytes / 16);
    }
  }
  wgmma_commit();
  wgmma_wait<0>(sums);
}

// sinks [ctas, threads], cycles [ctas]
template <LeftOperand left>
__global__ void __launch_bounds__(threads, 1) multiply(float* sinks, long long* cycles) {
  const uint32_t a_smem = shared_base();
  const uint32_t b_smem = a_smem + a_bytes;
  for (uint32_t at = threadIdx.x * 4; at < a_bytes + b_bytes; at += threads * 4)
    st_shared_4(a_smem + at, some_halves(at));
  uint32_t a[slices][4];
  float sums[16][4];
  for (int i = 0; i < slices; i++) {
    for (int k = 0; k < 4; k++) a[i][k] = some_halves((threadIdx.x * slices + i) * 4 + k);
  }
  for (int n = 0; n < 16; n++) {
    for (int e = 0; e < 4; e++) sums[n][e] = 0;
  }
  proxy_fence();  // the tensor cores read by another path than st writes
  barrier();
  const long long start = clock64();
  for (int i = 0; i < iterations; i++) multiply_slices<left>(sums, a_smem, a, b_smem);
  barrier();
  if (threadIdx.x == 0) cycles[blockIdx.x] = clock64() - start;
  float sum = 0;  // what nobody stores is not computed
  for (int n = 0; n < 16; n++) {
    for (int e = 0; e < 4; e++) sum += sums[n][e];
  }
  sinks[blockIdx.x * threads + threadIdx.x] = sum;
}

template <LeftOperand left>
WgmmaCeiling measure(int sm_count) {
  DeviceArray<float> sinks(int64_t{sm_count} * threads);
  DeviceArray<long long> cycles(sm_count);
  const Stream stream;
  Event start, stop;
  constexpr double instructions = double(warpgroups) * slices * iterations;  // of an SM
  double best_ms = std::numeric_limits<double>::infinity();
  WgmmaCeiling best;
  const auto end = std::chrono::steady_clock::now() + measuring_time;
  while (std::chrono::steady_clock::now() < end) {
    start.record(stream);
    multiply<left><<<sm_count, threads, a_bytes + b_bytes, stream.get()>>>(sinks.data(), cycles.data());
    check_launch("the measurement of wgmma's ceiling");
    stop.record(stream);
    wait_for_gpu("the measurement of wgmma's ceiling");
    const double ms = milliseconds_between(start, stop);
    if (ms >= best_ms) continue;
    best_ms = ms;
    best = {sm_count * instructions * flop_of_wgmma / (ms * 1e-3) * 1e-12,
            static_cast<double>(cycles.to_host().front()) / instructions};
  }
  return best;
}

}  // namespace

WgmmaCeiling measure_wgmma_ceiling(LeftOperand left, int sm_count) {
  return left == LeftOperand::registers ? measure<LeftOperand::registers>(sm_count)
                                        : measure<LeftOperand::shared_memory>(sm_count);
}

}  // namespace flash_steps::ceilings
