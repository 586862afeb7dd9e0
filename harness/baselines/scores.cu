#include <algorithm>
#include <cfloat>

#include "harness/baselines/scores.h"
#include "harness/gpu/cuda/check.cuh"
#include "harness/gpu/cuda/numbers.cuh"
#include "harness/truth/dropout.h"

namespace flash_steps {
namespace {

constexpr int vector_size = 8;  // 16-bit numbers in the 16 bytes that a thread loads at once
constexpr int most_threads = 1024;
constexpr float log2_e = 1.4426950408889634f;

struct alignas(16) Vector {
  uint16_t bits[vector_size];
};

struct alignas(8) Flags {
  uint8_t kept[vector_size];
};

// What the device code has to know of a problem. Lengths are read, for to draw them anew takes longer than a row.
struct Shape {
  int heads, vectors;  // vectors of a row of scores
  bool is_causal;
  Dropout dropout;
  const int* starts;
  const int* kv_starts;
};

// A query of a head: a CTA's.
struct Row {
  int sequence, head, query, queries, visible;
  int64_t number;  // in the order of L
};

__device__ Row row_of_cta(const Shape& shape) {
  const int sequence = blockIdx.z;
  const int start = shape.starts[sequence];
  const int queries = shape.starts[sequence + 1] - start;
  const int keys = shape.kv_starts[sequence + 1] - shape.kv_starts[sequence];
  const int query = blockIdx.x;
  const int head = blockIdx.y;
  const int visible = shape.is_causal ? min(max(query + 1 + keys - queries, 0), keys) : keys;
  return {sequence, head, query, queries, visible, int64_t{start} * shape.heads + int64_t{head} * queries + query};
}

// The maximum of some numbers, and the sum of their exponentials relative to it.
struct Exponentials {
  float max = -FLT_MAX;  // and not -infinity, of which differences are NaN
  float sum = 0;

  __device__ void add(Exponentials other) {
    const float both = fmaxf(max, other.max);
    sum = sum * exp2f((max - both) * log2_e) + other.sum * exp2f((other.max - both) * log2_e);
    max = both;
  }
};

struct Sum {
  float value = 0;

  __device__ void add(Sum other) { value += other.value; }
};

__device__ Exponentials shuffled(Exponentials value, int lane_mask) {
  return {__shfl_xor_sync(0xffffffffu, value.max, lane_mask), __shfl_xor_sync(0xffffffffu, value.sum, lane_mask)};
}

__device__ Sum shuffled(Sum sum, int lane_mask) { return {__shfl_xor_sync(0xffffffffu, sum.value, lane_mask)}; }

// All threads of the CTA get the result. Once a kernel: the shared memory is not written twice.
template <typename Total>
__device__ Total add_up(Total mine) {
  __shared__ float of_warps[most_threads / 32 * sizeof(Total) / sizeof(float)];
  auto* const of_warp = reinterpret_cast<Total*>(of_warps);
  for (int lane_mask = 16; lane_mask > 0; lane_mask /= 2) mine.add(shuffled(mine, lane_mask));
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = mine;
  __syncthreads();
  mine = of_warp[0];
  for (int w = 1; w < blockDim.x / 32; w++) mine.add(of_warp[w]);
  return mine;
}

// Of eight neighbouring keys, the first of which is a multiple of eight: two share the lane of Philox's counter.
__device__ Flags kept_weights(const Shape& shape, const Row& row, int first_key) {
  Flags flags;
  for (int pair = 0; pair < vector_size; pair += 2) {
    const PhiloxBlock drawn =
        dropout_block(shape.dropout, shape.heads, row.sequence, row.head, row.query, first_key + pair);
    const int quarter = first_key % 32 / 8;  // chosen without an index, which would put the four into memory
    const uint32_t number = quarter == 0 ? drawn[0] : quarter == 1 ? drawn[1] : quarter == 2 ? drawn[2] : drawn[3];
    for (int i = 0; i < 2; i++) flags.kept[pair + i] = is_kept(shape.dropout, number, row.query, first_key + pair + i);
  }
  return flags;
}

// The second reading of a row comes out of L1: all CTAs of an SM together have at most 2048 threads.
template <Dtype dtype, bool has_dropout>
__global__ void __launch_bounds__(most_threads) softmax_rows(Shape shape, Scores scores) {
  const Row row = row_of_cta(shape);
  if (row.query >= row.queries) return;
  Vector* const p = reinterpret_cast<Vector*>(scores.p) + row.number * shape.vectors;

  Exponentials mine;
  for (int i = threadIdx.x; i * vector_size < row.visible; i += blockDim.x) {
    const Vector vector = p[i];
    const int there = min(row.visible - i * vector_size, vector_size);
    Exponentials of_vector;
    for (int j = 0; j < there; j++) of_vector.max = fmaxf(of_vector.max, to_float<dtype>(vector.bits[j]));
    for (int j = 0; j < there; j++) {
      of_vector.sum += exp2f((to_float<dtype>(vector.bits[j]) - of_vector.max) * log2_e);
    }
    mine.add(of_vector);
  }
  const Exponentials all = add_up(mine);

  for (int i = threadIdx.x; i < shape.vectors; i += blockDim.x) {
    Vector vector = p[i];
    for (int j = 0; j < vector_size; j++) {
      const float weight = exp2f((to_float<dtype>(vector.bits[j]) - all.max) * log2_e) / all.sum;
      vector.bits[j] = from_float<dtype>(i * vector_size + j < row.visible ? weight : 0);
    }
    p[i] = vector;
    if constexpr (has_dropout) {
      const Flags flags = kept_weights(shape, row, i * vector_size);
      for (int j = 0; j < vector_size; j++) {
        const float weight = to_float<dtype>(vector.bits[j]) * shape.dropout.kept_scale;
        vector.bits[j] = from_float<dtype>(flags.kept[j] != 0 ? weight : 0);
      }
      reinterpret_cast<Vector*>(scores.dropped)[row.number * shape.vectors + i] = vector;
      reinterpret_cast<Flags*>(scores.kept)[row.number * shape.vectors + i] = flags;
    }
  }
}

// A vector of P and what comes back to it: Z∘dP/κ.
template <Dtype dtype, bool has_dropout>
struct Weights {
  float p[vector_size], dp[vector_size];

  __device__ Weights(const Shape& shape, const Scores& scores, int64_t at, int there) {
    const Vector p_bits = reinterpret_cast<const Vector*>(scores.p)[at];
    const Vector dp_bits = reinterpret_cast<const Vector*>(scores.dp)[at];
    Flags flags;
    if constexpr (has_dropout) flags = reinterpret_cast<const Flags*>(scores.kept)[at];
    for (int j = 0; j < vector_size; j++) {
      p[j] = to_float<dtype>(p_bits.bits[j]);
      dp[j] = j < there ? to_float<dtype>(dp_bits.bits[j]) : 0;  // beyond the keys may lie what is no number
      if constexpr (has_dropout) dp[j] = flags.kept[j] != 0 ? dp[j] * shape.dropout.kept_scale : 0;
    }
  }
};

// D is added up of P as it was rounded, so that the errors of a row of dS cancel out as the row itself does.
template <Dtype dtype, bool has_dropout>
__global__ void __launch_bounds__(most_threads) gradient_rows(Shape shape, Scores scores) {
  const Row row = row_of_cta(shape);
  if (row.query >= row.queries) return;
  const int64_t first = row.number * shape.vectors;
  Sum d;
  for (int i = threadIdx.x; i < shape.vectors; i += blockDim.x) {
    const Weights<dtype, has_dropout> weights(shape, scores, first + i, row.visible - i * vector_size);
    for (int j = 0; j < vector_size; j++) d.value += weights.p[j] * weights.dp[j];
  }
  d = add_up(d);

  for (int i = threadIdx.x; i < shape.vectors; i += blockDim.x) {
    const Weights<dtype, has_dropout> weights(shape, scores, first + i, row.visible - i * vector_size);
    Vector ds;
    for (int j = 0; j < vector_size; j++) ds.bits[j] = from_float<dtype>(weights.p[j] * (weights.dp[j] - d.value));
    reinterpret_cast<Vector*>(scores.dp)[first + i] = ds;
  }
}

template <Dtype dtype>
__global__ void sum_heads(const Vector* of_heads, Vector* sums, int64_t size, int head_vectors, int group) {
  const int64_t stride = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < size; i += stride) {
    const Vector* const first = of_heads + i / head_vectors * group * head_vectors + i % head_vectors;
    float sum[vector_size] = {};
    for (int head = 0; head < group; head++) {
      const Vector vector = first[int64_t{head} * head_vectors];
      for (int j = 0; j < vector_size; j++) sum[j] += to_float<dtype>(vector.bits[j]);
    }
    Vector rounded;
    for (int j = 0; j < vector_size; j++) rounded.bits[j] = from_float<dtype>(sum[j]);
    sums[i] = rounded;
  }
}

__global__ void write_kept(Problem problem, uint8_t* kept) {
  const int keys = problem.keys();
  const int64_t row = (int64_t{blockIdx.z} * problem.heads + blockIdx.y) * problem.seqlen + blockIdx.x;
  for (int key = threadIdx.x; key < keys; key += blockDim.x) {
    kept[row * keys + key] = keeps_weight(problem, blockIdx.z, blockIdx.y, blockIdx.x, key);
  }
}

Shape shape_of(const Problem& problem, const Tensors& tensors) {
  return {problem.heads,
          static_cast<int>(score_stride(problem) / vector_size),
          problem.mask == Mask::causal,
          problem.dropping(),
          tensors.starts,
          tensors.kv_starts};
}

dim3 cta_for_each_row(const Problem& problem) {
  return {static_cast<unsigned>(problem.seqlen), static_cast<unsigned>(problem.heads),
          static_cast<unsigned>(problem.batch)};
}

unsigned threads_for(const Shape& shape) {
  const int warps = (shape.vectors + 31) / 32;
  return std::min(warps * 32, most_threads);
}

// Calls a template lambda with the type and with whether there is dropout.
template <typename Call>
void with_template_arguments(const Problem& problem, const Call& call) {
  const bool has_dropout = problem.dropout != 0;
  if (problem.dtype == Dtype::fp16) {
    has_dropout ? call.template operator()<Dtype::fp16, true>() : call.template operator()<Dtype::fp16, false>();
  } else {
    has_dropout ? call.template operator()<Dtype::bf16, true>() : call.template operator()<Dtype::bf16, false>();
  }
}

}  // namespace

int64_t score_stride(const Problem& problem) {
  return (int64_t{problem.keys()} + vector_size - 1) / vector_size * vector_size;
}

void softmax_of_scores(const Problem& problem, const Tensors& tensors, const Scores& scores, CUstream_st* stream) {
  const Shape shape = shape_of(problem, tensors);
  with_template_arguments(problem, [&]<Dtype dtype, bool has_dropout>() {
    softmax_rows<dtype, has_dropout><<<cta_for_each_row(problem), threads_for(shape), 0, stream>>>(shape, scores);
  });
  check_launch("the softmax of standard attention");
}

void gradient_of_scores(const Problem& problem, const Tensors& tensors, const Scores& scores, CUstream_st* stream) {
  const Shape shape = shape_of(problem, tensors);
  with_template_arguments(problem, [&]<Dtype dtype, bool has_dropout>() {
    gradient_rows<dtype, has_dropout><<<cta_for_each_row(problem), threads_for(shape), 0, stream>>>(shape, scores);
  });
  check_launch("the gradient of standard attention's softmax");
}

void sum_groups(const Problem& problem, const uint16_t* of_heads, void* sums, CUstream_st* stream) {
  const auto kernel = problem.dtype == Dtype::fp16 ? sum_heads<Dtype::fp16> : sum_heads<Dtype::bf16>;
  kernel<<<4096, 256, 0, stream>>>(reinterpret_cast<const Vector*>(of_heads), static_cast<Vector*>(sums),
                                   problem.kv_elements() / vector_size, problem.head_dim / vector_size,
                                   problem.heads / problem.key_heads());
  check_launch("the sums over standard attention's groups");
}

void write_kept_weights(const Problem& problem, uint8_t* kept) {
  write_kept<<<cta_for_each_row(problem), 256>>>(problem, kept);
  check_launch("the drawing of a dropout mask");
  wait_for_gpu("the drawing of a dropout mask");
}

}  // namespace flash_steps
