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
struct SixteenBits {
  using Type = uint16_t;
  __device__ static Partial of(uint16_t output, float reference) {
    const float error = to_float<dtype>(output) - reference;
    return {__float_as_uint(fabsf(error)), __float_as_uint(fabsf(reference)), double(error) * error};
  }
};

// Of two infinities the difference would be NaN.
struct Lse {
  using Type = float;
  __device__ static Partial of(float output, float reference) {
    const float error = output == reference ? 0 : output - reference;
    const float magnitude = isinf(reference) ? 0 : fabsf(reference);
    return {__float_as_uint(fabsf(error)), __float_as_uint(magnitude), double(error) * error};
  }
};

template <typename Tensor>
__global__ void __launch_bounds__(threads)
    reduce_errors(const typename Tensor::Type* output, const float* reference, int64_t size, Partial* partials) {
  Partial mine{};
  for (int64_t i = int64_t{blockIdx.x} * threads + threadIdx.x; i < size; i += int64_t{ctas} * threads) {
    mine = combine(mine, Tensor::of(output[i], reference[i]));
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

template <typename Bits>
__global__ void compare_bits(const Bits* a, const Bits* b, int64_t size, int* differs) {
  const int64_t stride = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < size; i += stride) {
    if (a[i] != b[i]) *differs = 1;
  }
}

template <typename Element>
__global__ void fill(Element* elements, int64_t size, Element value) {
  const int64_t stride = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < size; i += stride) elements[i] = value;
}

template <typename Element>
void fill_all(DeviceArray<Element>& output, Element value) {
  fill<<<4096, 256>>>(output.data(), output.size(), value);
  check_launch("the poisoning of an output");
  wait_for_gpu("the poisoning of an output");
}

template <typename Bits, typename Element>
void note(const DeviceArray<Element>& a, const DeviceArray<Element>& b, int* differs) {
  if (a.size() != b.size()) {
    throw std::invalid_argument("one output has " + std::to_string(a.size()) + " elements, the other " +
                                std::to_string(b.size()));
  }
  compare_bits<<<4096, 256>>>(reinterpret_cast<const Bits*>(a.data()), reinterpret_cast<const Bits*>(b.data()),
                              a.size(), differs);
  check_launch("the comparison of two outputs");
}

template <typename Tensor>
Difference difference(const DeviceArray<typename Tensor::Type>& output, const DeviceArray<float>& reference) {
  if (output.size() != reference.size()) {
    throw std::invalid_argument("the output has " + std::to_string(output.size()) + " elements, the reference " +
                                std::to_string(reference.size()));
  }
  DeviceArray<Partial> partials(ctas);
  reduce_errors<Tensor><<<ctas, threads>>>(output.data(), reference.data(), output.size(), partials.data());
  check_launch("the comparison with the reference");
  wait_for_gpu("the comparison with the reference");

  Partial total{};  // added up in a fixed order: the same output gives the same figures
  for (const Partial& partial : partials.to_host()) total = combine(total, partial);
  return {std::bit_cast<float>(total.max_error), std::sqrt(total.squares / static_cast<double>(output.size())),
          std::bit_cast<float>(total.max_reference)};
}

}  // namespace

Difference compare_on_device(const DeviceArray<uint16_t>& output, Dtype dtype, const DeviceArray<float>& reference) {
  return dtype == Dtype::fp16 ? difference<SixteenBits<Dtype::fp16>>(output, reference)
                              : difference<SixteenBits<Dtype::bf16>>(output, reference);
}

Difference compare_lse_on_device(const DeviceArray<float>& lse, const DeviceArray<float>& reference) {
  return difference<Lse>(lse, reference);
}

void note_difference(const DeviceArray<uint16_t>& a, const DeviceArray<uint16_t>& b, int* differs) {
  note<uint16_t>(a, b, differs);
}

void note_difference(const DeviceArray<float>& a, const DeviceArray<float>& b, int* differs) {
  note<uint32_t>(a, b, differs);
}

void poison(DeviceArray<uint16_t>& output) { fill_all(output, uint16_t{0x7fff}); }

void poison(DeviceArray<float>& output) { fill_all(output, NAN); }

}  // namespace flash_steps
