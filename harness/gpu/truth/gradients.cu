// Two walks over the scores: by queries, each of which adds up its row of dQ and leaves what the second walk needs of
// it, and by keys, each of which adds up its rows of dK and dV.
#include <algorithm>

#include "harness/base/error.h"
#include "harness/gpu/cuda/check.cuh"
#include "harness/gpu/cuda/numbers.cuh"
#include "harness/gpu/truth/gradients.h"
#include "harness/gpu/truth/rows.cuh"
#include "harness/truth/dropout.h"

namespace flash_steps {
namespace {

using namespace by_rows;

// Of a query, exactly and from what was rounded to 16 bits: ln Σ exp(S), and Σ dO∘O.
struct QueryTerms {
  double lse, lse16, d, d16;
};
static_assert(sizeof(QueryTerms) == gradients_scratch_of_row);

// The tensors of a problem, as device code reads and writes them.
struct Arguments {
  const uint16_t *q, *k, *v, *d_o;
  const float* o;
  const uint16_t* o16;
  QueryTerms* terms;  // laid out as L
  float *dq, *dk, *dv;
  uint16_t *dq16, *dk16, *dv16;
};

// What one query and one key make: the weight of V, and the gradient of the logit.
template <typename Real>
struct Score {
  Real p, ds, p16, ds16;
};

template <Dtype dtype, typename Real>
__device__ Score<Real> score(Real s, Real dp, Real kept, const QueryTerms& query) {
  const Real p = exp(s - static_cast<Real>(query.lse));
  const Real p16 = rounded<dtype, Real>(exp(rounded<dtype, Real>(s) - static_cast<Real>(query.lse16)));
  const Real dp16 = rounded<dtype, Real>(dp) * kept;
  return {p * kept, p * (dp * kept - static_cast<Real>(query.d)), rounded<dtype, Real>(p16 * kept),
          rounded<dtype, Real>(p16 * (dp16 - static_cast<Real>(query.d16)))};
}

template <typename Real>
__device__ Real kept_factor(const Problem& problem, int sequence, int head, int query, int key) {
  if (problem.dropout == 0) return 1;
  return keeps_weight(problem, sequence, head, query, key) ? static_cast<Real>(problem.dropping().kept_scale) : Real{0};
}

template <typename Real>
__device__ Real sum_of_warp(Real value) {
  for (int lane_mask = 16; lane_mask > 0; lane_mask /= 2) value += __shfl_xor_sync(0xffffffffu, value, lane_mask);
  return value;
}

// The products of four rows with one, of which each lane holds a part.
template <typename Real, int lane_dims>
__device__ PerRow<Real> products(const Real (&four)[rows][lane_dims], const Real (&one)[lane_dims]) {
  PerRow<Real> sums{};
  for (int r = 0; r < rows; r++) {
    for (int d = 0; d < lane_dims; d++) sums.row[r] += four[r][d] * one[d];
    sums.row[r] = sum_of_warp(sums.row[r]);
  }
  return sums;
}

template <typename Real, int lane_dims>
__device__ void add_scaled(Real (&sums)[lane_dims], Real factor, const Real (&dims)[lane_dims]) {
  for (int d = 0; d < lane_dims; d++) sums[d] += factor * dims[d];
}

// ln Σ exp of what all warps have met, each of which all its lanes have met alike.
template <typename Real>
struct LogSum {
  PerRow<Real> max, sum;

  __device__ LogSum() {
    for (int r = 0; r < rows; r++) max.row[r] = -INFINITY, sum.row[r] = 0;
  }

  __device__ void add(int r, Real s) {
    const Real both = fmax(max.row[r], s);
    sum.row[r] = sum.row[r] * exp(max.row[r] - both) + exp(s - both);
    max.row[r] = both;
  }

  template <int warps>
  __device__ PerRow<Real> result(PerRow<Real> (&of_warp)[warps]) const {
    const PerRow<Real> all = reduce(max, of_warp, [](Real a, Real b) { return fmax(a, b); });
    PerRow<Real> mine{};
    for (int r = 0; r < rows; r++) {
      if (threadIdx.x % 32 == 0 && sum.row[r] > 0) mine.row[r] = sum.row[r] * exp(max.row[r] - all.row[r]);
    }
    PerRow<Real> result = reduce(mine, of_warp, [](Real a, Real b) { return a + b; });
    for (int r = 0; r < rows; r++) {
      result.row[r] = result.row[r] > 0 ? all.row[r] + log(result.row[r]) : static_cast<Real>(INFINITY);
    }
    return result;
  }
};

// L of four queries, exactly and from rounded logits: `k` is the first row of keys that they attend to.
template <Dtype dtype, typename Real, int head_dim, int lane_dims, int warps>
__device__ void log_sums(const Real (&q)[rows][lane_dims], const uint16_t* k, int64_t kv_row_stride, int keys,
                         const int (&visible)[rows], PerRow<Real> (&reduced)[warps], QueryTerms (&terms)[rows]) {
  const Real scale = 1 / sqrt(static_cast<Real>(head_dim));
  LogSum<Real> exact, of_rounded;
  for (int key = threadIdx.x / 32; key < keys; key += warps) {
    Real k_dims[lane_dims];
    load_dims<dtype, head_dim>(k_dims, k + key * kv_row_stride);
    const PerRow<Real> s = products(q, k_dims);
    for (int r = 0; r < rows; r++) {
      if (key >= visible[r]) continue;
      exact.add(r, s.row[r] * scale);
      of_rounded.add(r, rounded<dtype, Real>(s.row[r] * scale));
    }
  }
  const PerRow<Real> lse = exact.result(reduced);
  const PerRow<Real> lse16 = of_rounded.result(reduced);
  for (int r = 0; r < rows; r++) {
    terms[r].lse = lse.row[r];
    terms[r].lse16 = lse16.row[r];
  }
}

__device__ void store_terms(const QueryTerms (&terms)[rows], QueryTerms* to, int most) {
  for (int r = 0; r < rows; r++) {
    if (threadIdx.x == 0 && r < most) to[r] = terms[r];
  }
}

// D of a query, exactly and from the rounded O: its elements lie in `d_o`, and from `offset` on in O.
template <Dtype dtype, int head_dim, typename Real, int lane_dims>
__device__ void sum_d(const Arguments& a, const Real (&d_o)[lane_dims], int64_t offset, QueryTerms& terms) {
  Real d = 0, d16 = 0;
  for (int i = 0; i < lane_dims; i++) {
    const int dim = threadIdx.x % 32 * lane_dims + i;
    if (dim >= head_dim) continue;
    d += d_o[i] * a.o[offset + dim];
    d16 += d_o[i] * to_float<dtype>(a.o16[offset + dim]);
  }
  terms.d = sum_of_warp(d);
  terms.d16 = sum_of_warp(d16);
}

template <Dtype dtype, typename Real, int head_dim>
__global__ void __launch_bounds__(warps_for(head_dim) * 32, 1) walk_queries(Arguments a, Problem problem) {
  constexpr int warps = warps_for(head_dim);
  constexpr int lane_dims = lane_dims_for(head_dim);
  __shared__ PerRow<Real> reduced[warps];
  __shared__ Real of_warp[warps][rows][head_dim];
  const Real scale = 1 / sqrt(static_cast<Real>(head_dim));
  const int64_t row_stride = int64_t{problem.heads} * head_dim;
  const int64_t kv_row_stride = int64_t{problem.key_heads()} * head_dim;

  const int sequence = blockIdx.z;
  const int head = blockIdx.y;
  const int first_row = blockIdx.x * rows;
  const int queries = problem.queries_of(sequence);
  const int keys = problem.keys_of(sequence);
  if (first_row >= queries) return;
  const int64_t first_query = problem.first_query(sequence);
  const int64_t head_offset = first_query * row_stride + int64_t{head} * head_dim;
  const int64_t kv_offset = problem.first_key(sequence) * kv_row_stride + int64_t{problem.key_head(head)} * head_dim;
  QueryTerms* const terms_of_head = a.terms + first_query * problem.heads + int64_t{head} * queries;

  Real q[rows][lane_dims], d_o[rows][lane_dims];
  QueryTerms terms[rows];
  int visible[rows];
  for (int r = 0; r < rows; r++) {
    const int row = min(first_row + r, queries - 1);  // past the end: computed, not stored
    const int64_t offset = head_offset + row * row_stride;
    load_dims<dtype, head_dim>(q[r], a.q + offset);
    load_dims<dtype, head_dim>(d_o[r], a.d_o + offset);
    sum_d<dtype, head_dim>(a, d_o[r], offset, terms[r]);
    visible[r] = problem.visible_keys(row, sequence);
  }

  log_sums<dtype, Real, head_dim>(q, a.k + kv_offset, kv_row_stride, keys, visible, reduced, terms);
  store_terms(terms, terms_of_head + first_row, queries - first_row);

  Real dq[rows][lane_dims] = {}, dq16[rows][lane_dims] = {};
  for (int key = threadIdx.x / 32; key < keys; key += warps) {
    Real k[lane_dims], v[lane_dims];
    load_dims<dtype, head_dim>(k, a.k + kv_offset + key * kv_row_stride);
    load_dims<dtype, head_dim>(v, a.v + kv_offset + key * kv_row_stride);
    const PerRow<Real> s = products(q, k);
    const PerRow<Real> dp = products(d_o, v);
    for (int r = 0; r < rows; r++) {
      if (key >= visible[r]) continue;
      const Real kept = kept_factor<Real>(problem, sequence, head, first_row + r, key);
      const Score<Real> of_key = score<dtype, Real>(s.row[r] * scale, dp.row[r], kept, terms[r]);
      add_scaled(dq[r], of_key.ds, k);
      add_scaled(dq16[r], of_key.ds16, k);
    }
  }
  const auto place = [&](int r, int d) { return head_offset + (first_row + r) * row_stride + d; };
  add_warps(dq, of_warp, [&](int r, int d, Real value) {
    if (first_row + r < queries) a.dq[place(r, d)] = value * scale;
  });
  add_warps(dq16, of_warp, [&](int r, int d, Real value) {
    if (first_row + r < queries) a.dq16[place(r, d)] = bits_of<dtype, Real>(value * scale);
  });
}

template <Dtype dtype, typename Real, int head_dim>
__global__ void __launch_bounds__(warps_for(head_dim) * 32, 1) walk_keys(Arguments a, Problem problem) {
  constexpr int warps = warps_for(head_dim);
  constexpr int lane_dims = lane_dims_for(head_dim);
  __shared__ Real of_warp[warps][rows][head_dim];
  const Real scale = 1 / sqrt(static_cast<Real>(head_dim));
  const int warp = threadIdx.x / 32;
  const int64_t row_stride = int64_t{problem.heads} * head_dim;
  const int64_t kv_row_stride = int64_t{problem.key_heads()} * head_dim;

  const int sequence = blockIdx.z;
  const int first_key = blockIdx.x * rows;
  const int queries = problem.queries_of(sequence);
  const int keys = problem.keys_of(sequence);
  if (first_key >= keys) return;
  const int64_t kv_offset = problem.first_key(sequence) * kv_row_stride + int64_t{blockIdx.y} * head_dim;

  Real k[rows][lane_dims], v[rows][lane_dims];
  for (int r = 0; r < rows; r++) {
    const int64_t offset = kv_offset + min(first_key + r, keys - 1) * kv_row_stride;
    load_dims<dtype, head_dim>(k[r], a.k + offset);
    load_dims<dtype, head_dim>(v[r], a.v + offset);
  }
  Real dk[rows][lane_dims] = {}, dk16[rows][lane_dims] = {}, dv[rows][lane_dims] = {}, dv16[rows][lane_dims] = {};
  for (int head = 0; head < problem.heads; head++) {
    if (problem.key_head(head) != blockIdx.y) continue;
    const int64_t head_offset = problem.first_query(sequence) * row_stride + int64_t{head} * head_dim;
    const QueryTerms* const terms = a.terms + problem.first_query(sequence) * problem.heads + int64_t{head} * queries;
    for (int row = warp; row < queries; row += warps) {
      Real q[lane_dims], d_o[lane_dims];
      load_dims<dtype, head_dim>(q, a.q + head_offset + row * row_stride);
      load_dims<dtype, head_dim>(d_o, a.d_o + head_offset + row * row_stride);
      const PerRow<Real> s = products(k, q);
      const PerRow<Real> dp = products(v, d_o);
      const int visible = problem.visible_keys(row, sequence);
      for (int r = 0; r < rows; r++) {
        if (first_key + r >= visible) continue;
        const Real kept = kept_factor<Real>(problem, sequence, head, row, first_key + r);
        const Score<Real> of_key = score<dtype, Real>(s.row[r] * scale, dp.row[r], kept, terms[row]);
        add_scaled(dk[r], of_key.ds, q);
        add_scaled(dk16[r], of_key.ds16, q);
        add_scaled(dv[r], of_key.p, d_o);
        add_scaled(dv16[r], of_key.p16, d_o);
      }
    }
  }
  const auto place = [&](int r, int d) { return kv_offset + (first_key + r) * kv_row_stride + d; };
  add_warps(dk, of_warp, [&](int r, int d, Real value) {
    if (first_key + r < keys) a.dk[place(r, d)] = value * scale;
  });
  add_warps(dk16, of_warp, [&](int r, int d, Real value) {
    if (first_key + r < keys) a.dk16[place(r, d)] = bits_of<dtype, Real>(value * scale);
  });
  add_warps(dv, of_warp, [&](int r, int d, Real value) {
    if (first_key + r < keys) a.dv[place(r, d)] = value;
  });
  add_warps(dv16, of_warp, [&](int r, int d, Real value) {
    if (first_key + r < keys) a.dv16[place(r, d)] = bits_of<dtype, Real>(value);
  });
}

unsigned groups_of(int length) { return (static_cast<unsigned>(length) + rows - 1) / rows; }

template <Dtype dtype, typename Real, int head_dim>
void run(const Arguments& arguments, const Problem& problem) {
  const unsigned threads = warps_for(head_dim) * 32;
  const auto sequences = static_cast<unsigned>(problem.batch);
  const dim3 by_queries(groups_of(problem.seqlen), static_cast<unsigned>(problem.heads), sequences);
  const dim3 by_keys(groups_of(problem.keys()), static_cast<unsigned>(problem.key_heads()), sequences);
  walk_queries<dtype, Real, head_dim><<<by_queries, threads>>>(arguments, problem);
  check_launch("the reference of dQ");
  walk_keys<dtype, Real, head_dim><<<by_keys, threads>>>(arguments, problem);
  check_launch("the reference of dK and dV");
  wait_for_gpu("the reference of the gradients");
}

using Run = void (*)(const Arguments&, const Problem&);

template <Dtype dtype, typename Real>
Run run_of(int head_dim) {
  switch (head_dim) {
    case 32:
      return run<dtype, Real, 32>;
    case 64:
      return run<dtype, Real, 64>;
    case 128:
      return run<dtype, Real, 128>;
    default:
      throw MachineError("the reference of gradients on the GPU has no head_dim " + std::to_string(head_dim) +
                         "; 32, 64 and 128 would work");
  }
}

template <Dtype dtype>
__global__ void round_all(const float* from, uint16_t* to, int64_t size) {
  const int64_t stride = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < size; i += stride) {
    to[i] = from_float<dtype>(from[i]);
  }
}

}  // namespace

void device_gradients(const Problem& problem, const DeviceInputs& inputs, Precision precision,
                      const DeviceArray<float>& o, const DeviceArray<uint16_t>& o16, DeviceGradients<float>& exact,
                      DeviceGradients<uint16_t>& ref16) {
  DeviceArray<QueryTerms> terms(problem.rows());
  const Arguments arguments{inputs.q.data(), inputs.k.data(), inputs.v.data(), inputs.d_o.data(), o.data(),
                            o16.data(),      terms.data(),    exact.dq.data(), exact.dk.data(),   exact.dv.data(),
                            ref16.dq.data(), ref16.dk.data(), ref16.dv.data()};
  const Run run = for_types(problem.dtype, precision,
                            [&]<Dtype dtype, typename Real>() { return run_of<dtype, Real>(problem.head_dim); });
  run(arguments, problem);
}

DeviceArray<uint16_t> rounded_output(const DeviceArray<float>& o, Dtype dtype) {
  DeviceArray<uint16_t> bits(o.size());
  const auto kernel = dtype == Dtype::fp16 ? round_all<Dtype::fp16> : round_all<Dtype::bf16>;
  kernel<<<4096, 256>>>(o.data(), bits.data(), o.size());
  check_launch("the rounding of O");
  return bits;
}

}  // namespace flash_steps
