// The 16-bit types on the GPU, as the harness reads and rounds them.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

#include "harness/contract/kernel.h"

namespace flash_steps {

template <Dtype dtype>
__device__ inline float to_float(uint16_t bits) {
  if constexpr (dtype == Dtype::fp16) {
    return __half2float(__ushort_as_half(bits));
  } else {
    return __bfloat162float(__ushort_as_bfloat16(bits));
  }
}

/// Rounds to nearest even, with overflow to infinity.
template <Dtype dtype>
__device__ inline uint16_t from_float(float value) {
  if constexpr (dtype == Dtype::fp16) {
    return __half_as_ushort(__float2half_rn(value));
  } else {
    return __bfloat16_as_ushort(__float2bfloat16_rn(value));
  }
}

/// Likewise, in one rounding.
template <Dtype dtype>
__device__ inline uint16_t from_double(double value) {
  if constexpr (dtype == Dtype::fp16) {
    return __half_as_ushort(__double2half(value));
  } else {
    return __bfloat16_as_ushort(__double2bfloat16(value));
  }
}

}  // namespace flash_steps
