#include <algorithm>
#include <chrono>
#include <limits>

#include "harness/gpu/cuda/check.cuh"
#include "harness/gpu/cuda/device_array.h"
#include "harness/gpu/cuda/event.cuh"
#include "harness/gpu/timing/ceiling.h"
#include "kernels/isa.cuh"

namespace flash_steps {
namespace {

constexpr int warps = 16;  // one CTA an SM: four warps on each tensor core
constexpr int threads = warps * 32;
constexpr int accumulators = 8;   // of a warp, independent, so that no product waits for the one before
constexpr int iterations = 8192;  // about a millisecond
constexpr double flop_of_mma = 2.0 * 16 * 8 * 16;
constexpr std::chrono::milliseconds measuring_time{100};

// Two halves between -2 and 2, different ones in each register and lane: of zeros the multipliers would draw less power
// than of numbers, and the clocks would be higher than a kernel finds them.
__device__ uint32_t some_halves(int which) {
  const uint32_t scrambled = (threadIdx.x * 8 + which + 1) * 2654435761u;
  return scrambled & 0xbfffbfffu;
}

__global__ void __launch_bounds__(threads) multiply(float* sums) {  // sums [ctas, threads]
  const uint32_t a[4] = {some_halves(0), some_halves(1), some_halves(2), some_halves(3)};
  const uint32_t b[2] = {some_halves(4), some_halves(5)};
  float c[accumulators][4];
  for (int i = 0; i < accumulators; i++) {
    for (float& element : c[i]) element = i;  // of equal sums the compiler would compute one
  }
  for (int i = 0; i < iterations; i++) {
#pragma unroll
    for (float(&accumulator)[4] : c) mma_m16n8k16<fp16_t>(accumulator, a, b[0], b[1], accumulator);
  }
  float sum = 0;  // what nobody stores is not computed
  for (const float(&accumulator)[4] : c) {
    for (const float element : accumulator) sum += element;
  }
  sums[blockIdx.x * threads + threadIdx.x] = sum;
}

}  // namespace

double measure_mma_ceiling(int sm_count) {
  DeviceArray<float> sums(int64_t{sm_count} * threads);
  const Stream stream;
  Event start, stop;
  double best_ms = std::numeric_limits<double>::infinity();
  const auto end = std::chrono::steady_clock::now() + measuring_time;
  while (std::chrono::steady_clock::now() < end) {
    start.record(stream);
    multiply<<<sm_count, threads, 0, stream.get()>>>(sums.data());
    check_launch("the measurement of the ceiling");
    stop.record(stream);
    wait_for_gpu("the measurement of the ceiling");
    best_ms = std::min(best_ms, milliseconds_between(start, stop));
  }
  const double flop = double(sm_count) * warps * accumulators * iterations * flop_of_mma;
  return flop / (best_ms * 1e-3) * 1e-12;
}

}  // namespace flash_steps
