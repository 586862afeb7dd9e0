// A CTA computes four query rows at a time, by the formula as it is written: all logits of the row, then their
// maximum, then the sum of the exponentials, then the weights, then the weighted sum of V. The row of logits lies in
// global memory, so that no length is too long, and the four rows share each read of K and V.
#include <algorithm>
#include <type_traits>

#include "harness/base/error.h"
#include "harness/gpu/cuda/check.cuh"
#include "harness/gpu/cuda/numbers.cuh"
#include "harness/gpu/truth/reference.h"
#include "harness/gpu/truth/rows.cuh"
#include "harness/truth/dropout.h"

namespace flash_steps {
namespace {

using namespace by_rows;

constexpr double fp64_flops_limit = 4e10;

constexpr int64_t scratch_limit = int64_t{512} * 1024 * 1024;

// Which rows of which sequence: what a CTA works on.
struct RowGroup {
  int64_t first_query, first_key;  // of the sequence, in rows of all
  int sequence, head, queries, keys, first_row;
};

__device__ RowGroup row_group(const Problem& problem, int64_t number) {
  const int64_t groups_of_head = (int64_t{problem.seqlen} + rows - 1) / rows;
  const int64_t head = number / groups_of_head;
  const int sequence = static_cast<int>(head / problem.heads);
  return {problem.first_query(sequence),
          problem.first_key(sequence),
          sequence,
          static_cast<int>(head % problem.heads),
          problem.queries_of(sequence),
          problem.keys_of(sequence),
          static_cast<int>(number % groups_of_head * rows)};
}

constexpr int64_t scratch_of_cta(int64_t keys) { return 2 * keys; }  // PerRows: S, later P, and rounded P

// What the parts of the computation share.
template <typename Real>
struct Work {
  const Problem& problem;
  RowGroup group;
  int64_t head_offset, kv_offset;  // of the sequence and head in Q and O, and in K and V, in elements
  int64_t row_stride, kv_row_stride;
  PerRow<Real>* p;    // [keys]; holds S first
  PerRow<Real>* p16;  // [keys]; normalised and rounded
};

template <typename Real, int head_dim>
__device__ Work<Real> work_on(const Problem& problem, const RowGroup& group, PerRow<Real>* scratch) {
  Work<Real> work{problem, group};
  work.row_stride = int64_t{problem.heads} * head_dim;
  work.kv_row_stride = int64_t{problem.key_heads()} * head_dim;
  work.head_offset = group.first_query * work.row_stride + int64_t{group.head} * head_dim;
  work.kv_offset = group.first_key * work.kv_row_stride + int64_t{problem.key_head(group.head)} * head_dim;
  work.p = scratch + blockIdx.x * scratch_of_cta(problem.keys());
  work.p16 = work.p + problem.keys();
  return work;
}

// S = Q·Kᵀ / √head_dim: a warp takes a key, a lane its part of head_dim.
template <Dtype dtype, typename Real, int head_dim>
__device__ void scores(const Work<Real>& work, const int (&visible)[rows], const uint16_t* __restrict__ q,
                       const uint16_t* __restrict__ k) {
  constexpr int warps = warps_for(head_dim);
  constexpr int lane_dims = lane_dims_for(head_dim);
  const Real softmax_scale = 1 / sqrt(static_cast<Real>(head_dim));
  const int64_t first_row = work.group.first_row;
  const int seqlen = work.group.queries;

  Real q_dims[rows][lane_dims];
  for (int r = 0; r < rows; r++) {
    const int64_t row = first_row + r < seqlen ? first_row + r : seqlen - 1;  // past the end: computed, not stored
    load_dims<dtype, head_dim>(q_dims[r], q + work.head_offset + row * work.row_stride);
  }
#pragma unroll 2
  for (int64_t key = threadIdx.x / 32; key < work.group.keys; key += warps) {
    Real k_dims[lane_dims];
    load_dims<dtype, head_dim>(k_dims, k + work.kv_offset + key * work.kv_row_stride);
    PerRow<Real> s;
    for (int r = 0; r < rows; r++) {
      s.row[r] = 0;
      for (int d = 0; d < lane_dims; d++) s.row[r] += q_dims[r][d] * k_dims[d];
    }
    for (int lane_mask = 16; lane_mask > 0; lane_mask /= 2) {
      for (Real& x : s.row) x += __shfl_xor_sync(0xffffffffu, x, lane_mask);
    }
    for (int r = 0; r < rows; r++) s.row[r] = key < visible[r] ? s.row[r] * softmax_scale : -INFINITY;
    if (threadIdx.x % 32 == 0) work.p[key] = s;
  }
}

// P = softmax(S), and L: a thread takes a key.
template <Dtype dtype, typename Real, int warps>
__device__ void softmax(const Work<Real>& work, const int (&visible)[rows], float* __restrict__ lse,
                        PerRow<Real> (&reduced)[warps]) {
  constexpr int threads = warps * 32;
  const Problem& problem = work.problem;
  const RowGroup& group = work.group;
  const auto max = [](Real a, Real b) { return fmax(a, b); };
  const auto add = [](Real a, Real b) { return a + b; };
  PerRow<Real> s_max;
  for (Real& x : s_max.row) x = -INFINITY;
  for (int64_t key = threadIdx.x; key < group.keys; key += threads) {
    for (int r = 0; r < rows; r++) s_max.row[r] = max(s_max.row[r], work.p[key].row[r]);
  }
  s_max = reduce(s_max, reduced, max);
  for (int r = 0; r < rows; r++) {
    if (visible[r] <= 0) s_max.row[r] = 0;  // of a query that attends to no key, whose weights are 0
  }
  PerRow<Real> s16_max;  // rounding keeps the order, so the largest logit is also the largest rounded one
  for (int r = 0; r < rows; r++) s16_max.row[r] = rounded<dtype, Real>(s_max.row[r]);

  PerRow<Real> sum{};
  PerRow<Real> sum16{};
  for (int64_t key = threadIdx.x; key < group.keys; key += threads) {
    const PerRow<Real> s = work.p[key];
    for (int r = 0; r < rows; r++) {
      sum.row[r] += exp(s.row[r] - s_max.row[r]);
      sum16.row[r] += exp(rounded<dtype, Real>(s.row[r]) - s16_max.row[r]);
    }
  }
  sum = reduce(sum, reduced, add);
  sum16 = reduce(sum16, reduced, add);
  if (threadIdx.x < rows && group.first_row + threadIdx.x < group.queries) {
    const int r = static_cast<int>(threadIdx.x);
    lse[group.first_query * problem.heads + int64_t{group.head} * group.queries + group.first_row + r] =
        visible[r] > 0 ? s_max.row[r] + log(sum.row[r]) : INFINITY;
  }

  for (int64_t key = threadIdx.x; key < group.keys; key += threads) {
    const PerRow<Real> s = work.p[key];
    PerRow<Real> weight;
    PerRow<Real> weight16;
    for (int r = 0; r < rows; r++) {
      const bool any = visible[r] > 0;
      weight.row[r] = any ? exp(s.row[r] - s_max.row[r]) / sum.row[r] : 0;
      weight16.row[r] =
          any ? rounded<dtype, Real>(exp(rounded<dtype, Real>(s.row[r]) - s16_max.row[r]) / sum16.row[r]) : 0;
      if (problem.dropout == 0) continue;
      const bool kept = keeps_weight(problem, group.sequence, group.head, group.first_row + r, static_cast<int>(key));
      weight.row[r] *= kept ? static_cast<Real>(1 / (1 - problem.dropout)) : 0;
      weight16.row[r] *= kept ? static_cast<Real>(1 / (1 - problem.dropout)) : 0;
    }
    work.p[key] = weight;
    work.p16[key] = weight16;
  }
}

// O = P·V: a warp takes a key, a lane its part of head_dim.
template <Dtype dtype, typename Real, int head_dim, int warps>
__device__ void outputs(const Work<Real>& work, const uint16_t* __restrict__ v, float* __restrict__ exact,
                        uint16_t* __restrict__ ref16, Real (&o_of_warp)[warps][rows][head_dim]) {
  constexpr int lane_dims = lane_dims_for(head_dim);
  const int64_t first_row = work.group.first_row;
  const int seqlen = work.group.queries;
  Real o[rows][lane_dims] = {};
  Real o16[rows][lane_dims] = {};
#pragma unroll 2
  for (int64_t key = threadIdx.x / 32; key < work.group.keys; key += warps) {
    Real v_dims[lane_dims];
    load_dims<dtype, head_dim>(v_dims, v + work.kv_offset + key * work.kv_row_stride);
    const PerRow<Real> weight = work.p[key];
    const PerRow<Real> weight16 = work.p16[key];
    for (int r = 0; r < rows; r++) {
      for (int d = 0; d < lane_dims; d++) {
        o[r][d] += weight.row[r] * v_dims[d];
        o16[r][d] += weight16.row[r] * v_dims[d];
      }
    }
  }
  // The barriers in add_warps also keep the next rows' S from overwriting P while a warp still reads it.
  add_warps(o, o_of_warp, [&](int r, int d, Real value) {
    if (first_row + r < seqlen) exact[work.head_offset + (first_row + r) * work.row_stride + d] = value;
  });
  add_warps(o16, o_of_warp, [&](int r, int d, Real value) {
    if (first_row + r < seqlen) {
      ref16[work.head_offset + (first_row + r) * work.row_stride + d] = bits_of<dtype>(value);
    }
  });
}

template <Dtype dtype, typename Real, int head_dim>
__global__ void __launch_bounds__(warps_for(head_dim) * 32, std::is_same_v<Real, double> ? 2 : 3)
    attention_by_rows(const uint16_t* __restrict__ q, const uint16_t* __restrict__ k, const uint16_t* __restrict__ v,
                      float* __restrict__ exact, uint16_t* __restrict__ ref16, float* __restrict__ lse,
                      PerRow<Real>* scratch, Problem problem) {
  constexpr int warps = warps_for(head_dim);
  __shared__ PerRow<Real> reduced[warps];
  __shared__ Real o_of_warp[warps][rows][head_dim];

  const int64_t groups = (int64_t{problem.seqlen} + rows - 1) / rows * problem.heads * problem.batch;
  for (int64_t number = blockIdx.x; number < groups; number += gridDim.x) {
    const RowGroup group = row_group(problem, number);
    if (group.first_row >= group.queries) continue;
    const Work<Real> work = work_on<Real, head_dim>(problem, group, scratch);
    int visible[rows];
    for (int r = 0; r < rows; r++) visible[r] = problem.visible_keys(group.first_row + r, group.sequence);

    scores<dtype, Real, head_dim>(work, visible, q, k);
    __syncthreads();  // S is complete
    softmax<dtype>(work, visible, lse, reduced);
    __syncthreads();  // P is complete
    outputs<dtype, Real, head_dim>(work, v, exact, ref16, o_of_warp);
  }
}

template <Dtype dtype, typename Real, int head_dim>
void run(const Problem& problem, const DeviceInputs& inputs, DeviceArray<float>& exact, DeviceArray<uint16_t>& ref16,
         DeviceArray<float>& lse) {
  constexpr int threads = warps_for(head_dim) * 32;
  const auto kernel = attention_by_rows<dtype, Real, head_dim>;
  int sm_count = 0;
  int ctas_per_sm = 0;
  check_cuda(cudaDeviceGetAttribute(&sm_count, cudaDevAttrMultiProcessorCount, 0), "asking for the number of SMs");
  check_cuda(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&ctas_per_sm, kernel, threads, 0),
             "asking for the occupancy of the reference");
  const int64_t groups = (int64_t{problem.seqlen} + rows - 1) / rows * problem.heads * problem.batch;
  const int64_t bytes_of_cta = scratch_of_cta(problem.keys()) * static_cast<int64_t>(sizeof(PerRow<Real>));
  const int64_t affordable = std::max<int64_t>(1, scratch_limit / bytes_of_cta);
  const int64_t ctas = std::min({int64_t{sm_count} * ctas_per_sm, groups, affordable});

  DeviceArray<PerRow<Real>> scratch(ctas * scratch_of_cta(problem.keys()));
  kernel<<<static_cast<unsigned>(ctas), threads>>>(inputs.q.data(), inputs.k.data(), inputs.v.data(), exact.data(),
                                                   ref16.data(), lse.data(), scratch.data(), problem);
  check_launch("the reference");
  wait_for_gpu("the reference");
}

using Run = void (*)(const Problem&, const DeviceInputs&, DeviceArray<float>&, DeviceArray<uint16_t>&,
                     DeviceArray<float>&);

template <Dtype dtype, typename Real>
Run run_of(int head_dim) {
  switch (head_dim) {
    case 16:
      return run<dtype, Real, 16>;
    case 32:
      return run<dtype, Real, 32>;
    case 64:
      return run<dtype, Real, 64>;
    case 96:
      return run<dtype, Real, 96>;
    case 128:
      return run<dtype, Real, 128>;
    case 256:
      return run<dtype, Real, 256>;
    default:
      throw MachineError("the reference on the GPU has no head_dim " + std::to_string(head_dim) +
                         "; 16, 32, 64, 96, 128 and 256 would work");
  }
}

}  // namespace

Precision precision_of(const Problem& problem) {
  return problem.flops() <= fp64_flops_limit ? Precision::fp64 : Precision::fp32;
}

const char* name_of(Precision precision) {
  return precision == Precision::fp64 ? "fp64 on the GPU" : "fp32 on the GPU";
}

int64_t reference_scratch_limit(int keys) {
  // A length of which one CTA's scratch is beyond the limit is far too long for fp64.
  return std::max(scratch_limit, scratch_of_cta(keys) * static_cast<int64_t>(sizeof(PerRow<float>)));
}

void device_reference(const Problem& problem, const DeviceInputs& inputs, Precision precision,
                      DeviceArray<float>& exact, DeviceArray<uint16_t>& ref16, DeviceArray<float>& lse) {
  const Run run = for_types(problem.dtype, precision,
                            [&]<Dtype dtype, typename Real>() { return run_of<dtype, Real>(problem.head_dim); });
  run(problem, inputs, exact, ref16, lse);
}

}  // namespace flash_steps
