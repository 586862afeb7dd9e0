#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>

#include "harness/gpu/cuda/check.cuh"
#include "harness/gpu/cuda/numbers.cuh"
#include "harness/gpu/truth/compare.h"

namespace flash_steps {
namespace {

constexpr int warps = 8;
constexpr int threads = warps * 32;
constexpr int ctas = 1024;

// What one CTA found. The maxima are the bits of non-negative floats: as integers these keep the order of the floats,
// with NaN above infinity, so that a NaN is never lost in a maximum.
struct Partial {
  uint32_t max_error;
  uint32_t max_reference;
  double squares;
};

__host__ __device__ Partial combine(const Partial& a, const Partial& b) {
  return {a.max_error > b.max_error ? a.max_error : b.max_error,
          a.max_reference > b.max_reference ? a.max_reference : b.max_reference, a.squares + b.squares};
}

template <Dtype dtype>
__global__ void __launch_bounds__(threads)
    reduce_errors(const uint16_t* output, const float* reference, int64_t size, Partial* partials) {
  Partial mine{};
  for (int64_t i = int64_t{blockIdx.x} * threads + threadIdx.x; i < size; i += int64_t{ctas} * threads) {
    const float error = to_float<dtype>(output[i]) - reference[i];
    mine = combine(mine, {__float_as_uint(fabsf(error)), __float_as_uint(fabsf(reference[i])), double(error) * error});
  }
  for (int lane_mask = 16; lane_mask > 0; lane_mask /= 2) {
    mine = combine(mine, {__shfl_xor_sync(0xffffffffu, mine.max_error, lane_mask),
                          __shfl_xor_sync(0xffffffffu, mine.max_reference, lane_mask),
                          __shfl_xor_sync(0xffffffffu, mine.squares, lane_mask)});
  }
  __shared__ Partial of_warp[warps];
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = mine;
  __syncthreads();
  if (threadIdx.x == 0) {
    for (int w = 1; w < warps; w++) mine = combine(mine, of_warp[w]);
    partials[blockIdx.x] = mine;
  }
}

__global__ void compare_bits(const uint16_t* a, const uint16_t* b, int64_t size, int* differs) {
  const int64_t stride = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < size; i += stride) {
    if (a[i] != b[i]) *differs = 1;
  }
}

__global__ void fill(uint16_t* bits, int64_t size, uint16_t value) {
  const int64_t stride = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < size; i += stride) bits[i] = value;
}

}  // namespace

Difference compare_on_device(const DeviceArray<uint16_t>& output, Dtype dtype, const DeviceArray<float>& reference) {
  if (output.size() != reference.size()) {
    throw std::invalid_argument("the output has " + std::to_string(output.size()) + " elements, the reference " +
                                std::to_string(reference.size()));
  }
  DeviceArray<Partial> partials(ctas);
  const auto kernel = dtype == Dtype::fp16 ? reduce_errors<Dtype::fp16> : reduce_errors<Dtype::bf16>;
  kernel<<<ctas, threads>>>(output.data(), reference.data(), output.size(), partials.data());
  check_launch("the comparison with the reference");
  wait_for_gpu("the comparison with the reference");

  Partial total{};  // added up in a fixed order: the same output gives the same figures
  for (const Partial& partial : partials.to_host()) total = combine(total, partial);
  return {std::bit_cast<float>(total.max_error), std::sqrt(total.squares / static_cast<double>(output.size())),
          std::bit_cast<float>(total.max_reference)};
}

void note_difference(const DeviceArray<uint16_t>& a, const DeviceArray<uint16_t>& b, int* differs) {
  if (a.size() != b.size()) {
    throw std::invalid_argument("one output has " + std::to_string(a.size()) + " elements, the other " +
                                std::to_string(b.size()));
  }
  compare_bits<<<4096, 256>>>(a.data(), b.data(), a.size(), differs);
  check_launch("the comparison of two outputs");
}

void poison(DeviceArray<uint16_t>& output) {
  constexpr uint16_t nan_bits = 0x7fff;
  fill<<<4096, 256>>>(output.data(), output.size(), nan_bits);
  check_launch("the poisoning of O");
  wait_for_gpu("the poisoning of O");
}

}  // namespace flash_steps
