// What the references on the GPU share: a CTA computes four rows at a time, its warps take turns at the rows of the
// other side, and the lanes of a warp share a row's elements.
#pragma once

#include <cstdint>
#include <type_traits>

#include "harness/gpu/cuda/numbers.cuh"
#include "harness/gpu/truth/reference.h"

namespace flash_steps::by_rows {

inline constexpr int rows = 4;

// Their sums share 48 KiB of shared memory.
constexpr int warps_for(int head_dim) { return head_dim > 128 ? 4 : 8; }

// Neighbouring elements of a row that a lane holds; of the shortest rows the upper lanes hold none.
constexpr int lane_dims_for(int head_dim) { return (head_dim + 31) / 32; }

// What `make` gives for the problem's type and what the reference is computed in, its two template arguments.
template <typename Make>
auto for_types(Dtype dtype, Precision precision, const Make& make) {
  const bool is_fp64 = precision == Precision::fp64;
  if (dtype == Dtype::fp16) {
    return is_fp64 ? make.template operator()<Dtype::fp16, double>() : make.template operator()<Dtype::fp16, float>();
  }
  return is_fp64 ? make.template operator()<Dtype::bf16, double>() : make.template operator()<Dtype::bf16, float>();
}

// One number for each of the rows. Real is what the reference is computed in: float or double.
template <typename Real>
struct alignas(16) PerRow {
  Real row[rows];
};

template <Dtype dtype, typename Real>
__device__ uint16_t bits_of(Real value) {
  if constexpr (std::is_same_v<Real, double>) {
    return from_double<dtype>(value);
  } else {
    return from_float<dtype>(value);
  }
}

template <Dtype dtype, typename Real>
__device__ Real rounded(Real value) {
  return to_float<dtype>(bits_of<dtype>(value));
}

// This lane's elements of a row of Q, K or V.
template <Dtype dtype, int head_dim, typename Real, int lane_dims>
__device__ void load_dims(Real (&dims)[lane_dims], const uint16_t* row) {
  const int first = threadIdx.x % 32 * lane_dims;
  if constexpr (lane_dims % 4 == 0) {
    for (int d = 0; d < lane_dims; d += 4) {
      const ushort4 bits = *reinterpret_cast<const ushort4*>(row + first + d);
      dims[d] = to_float<dtype>(bits.x);
      dims[d + 1] = to_float<dtype>(bits.y);
      dims[d + 2] = to_float<dtype>(bits.z);
      dims[d + 3] = to_float<dtype>(bits.w);
    }
  } else {
    for (int d = 0; d < lane_dims; d++) {
      dims[d] = first + d < head_dim ? static_cast<Real>(to_float<dtype>(row[first + d])) : Real{0};
    }
  }
}

// Over all threads of the CTA; each of them gets the result.
template <typename Real, int warps, typename Combine>
__device__ PerRow<Real> reduce(PerRow<Real> value, PerRow<Real> (&of_warp)[warps], Combine combine) {
  for (int lane_mask = 16; lane_mask > 0; lane_mask /= 2) {
    for (Real& x : value.row) x = combine(x, __shfl_xor_sync(0xffffffffu, x, lane_mask));
  }
  __syncthreads();  // of_warp may still be read for the reduction before
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = value;
  __syncthreads();
  value = of_warp[0];
  for (int w = 1; w < warps; w++) {
    for (int r = 0; r < rows; r++) value.row[r] = combine(value.row[r], of_warp[w].row[r]);
  }
  return value;
}

// Each warp summed up its share of the keys: adds the warps' sums and calls store(row, dim, sum) for each element.
template <typename Real, int lane_dims, int warps, int head_dim, typename Store>
__device__ void add_warps(const Real (&o)[rows][lane_dims], Real (&of_warp)[warps][rows][head_dim], Store store) {
  __syncthreads();  // of_warp may still be read for the rows before
  for (int r = 0; r < rows; r++) {
    for (int d = 0; d < lane_dims; d++) {
      const int dim = threadIdx.x % 32 * lane_dims + d;
      if (dim < head_dim) of_warp[threadIdx.x / 32][r][dim] = o[r][d];
    }
  }
  __syncthreads();
  for (int i = threadIdx.x; i < rows * head_dim; i += warps * 32) {
    Real sum = 0;
    for (int w = 0; w < warps; w++) sum += of_warp[w][i / head_dim][i % head_dim];
    store(i / head_dim, i % head_dim, sum);
  }
}

}  // namespace flash_steps::by_rows
