// p01_standard: attention as a textbook writes it: three kernels, and between them a matrix of seqlen² numbers.
//
// A thread computes a row in each of them. The scores S go to memory, come back for the softmax, go to memory as P and
// come back once more. This is the code that a C++ programmer would write, and the place from which the chapter starts.
//
// What to look at: `./runner --kernel=p01 --explain`, and what each launch moves: its distinct bytes add up to those of
// the formula for standard attention, 4·N² + 4·N·d elements.

#include "harness/contract/kernel.h"
#include "isa.cuh"

namespace flash_steps {
namespace {

constexpr int head_dim = 128;
constexpr int threads = 128;  // of a CTA: as many query rows

constexpr int chunk_elems = 2;  // a chunk is what one lane loads: 4 bytes
constexpr int row_chunks = head_dim / chunk_elems;

constexpr float softmax_scale = 0.08838834764831845f;  // 1/√head_dim
constexpr float log2_e = 1.4426950408889634f;          // exp(x) = exp2(x·log2(e)), and exp2 is one instruction

// Of a row of Q and a row of K.
template <typename T>
__device__ __forceinline__ float dot(const T* q_row, const T* k_row) {
  float sum = 0;
#pragma unroll 4
  for (int chunk = 0; chunk < row_chunks; chunk++) {
    const Pair x = unpack2<T>(ld_global_4(q_row + chunk * chunk_elems));
    const Pair y = unpack2<T>(ld_global_4(k_row + chunk * chunk_elems));
    sum += x.low * y.low;
    sum += x.high * y.high;
  }
  return sum;
}

// S = Q·Kᵀ / √head_dim
template <typename T>
__global__ void __launch_bounds__(threads) scores(const T* __restrict__ q,  // [batch, seqlen, heads, head_dim]
                                                  const T* __restrict__ k,  // [batch, seqlen, heads, head_dim]
                                                  T* __restrict__ s,        // [batch, heads, seqlen, seqlen]
                                                  int seqlen, int heads) {
  const int row = blockIdx.x * threads + threadIdx.x;

  const int row_stride = heads * head_dim;  // in elements
  const int64_t head_offset = int64_t{blockIdx.z} * seqlen * row_stride + blockIdx.y * head_dim;
  const int64_t row_offset = head_offset + int64_t{row} * row_stride;
  const T* k_row = k + head_offset;  // of the first key of this iteration
  T* const s_row = s + ((int64_t{blockIdx.z} * heads + blockIdx.y) * seqlen + row) * seqlen;

  for (int key = 0; key < seqlen; key += chunk_elems) {
    const float low = dot(q + row_offset, k_row);
    const float high = dot(q + row_offset, k_row + row_stride);
    st_global_4(s_row + key, pack2<T>(low * softmax_scale, high * softmax_scale));
    k_row += chunk_elems * row_stride;
  }
}

// P = softmax(S), where S was.
template <typename T>
__global__ void __launch_bounds__(threads) softmax(T* __restrict__ s,  // [batch, heads, seqlen, seqlen]
                                                   int seqlen, int heads) {
  const int row = blockIdx.x * threads + threadIdx.x;
  T* const s_row = s + ((int64_t{blockIdx.z} * heads + blockIdx.y) * seqlen + row) * seqlen;

  float row_max = -INFINITY;
  for (int key = 0; key < seqlen; key += chunk_elems) {
    const Pair x = unpack2<T>(ld_global_4(s_row + key));
    row_max = fmaxf(row_max, fmaxf(x.low, x.high));
  }
  float row_sum = 0;
  for (int key = 0; key < seqlen; key += chunk_elems) {
    const Pair x = unpack2<T>(ld_global_4(s_row + key));
    row_sum += exp2_approx((x.low - row_max) * log2_e);
    row_sum += exp2_approx((x.high - row_max) * log2_e);
  }
  for (int key = 0; key < seqlen; key += chunk_elems) {
    const Pair x = unpack2<T>(ld_global_4(s_row + key));
    const float p0 = exp2_approx((x.low - row_max) * log2_e) / row_sum;
    const float p1 = exp2_approx((x.high - row_max) * log2_e) / row_sum;
    st_global_4(s_row + key, pack2<T>(p0, p1));
  }
}

// O = P·V
template <typename T>
__global__ void __launch_bounds__(threads) output(const T* __restrict__ p,  // [batch, heads, seqlen, seqlen]
                                                  const T* __restrict__ v,  // [batch, seqlen, heads, head_dim]
                                                  T* __restrict__ o,        // [batch, seqlen, heads, head_dim]
                                                  int seqlen, int heads) {
  const int row = blockIdx.x * threads + threadIdx.x;

  const int row_stride = heads * head_dim;  // in elements
  const int64_t head_offset = int64_t{blockIdx.z} * seqlen * row_stride + blockIdx.y * head_dim;
  const int64_t row_offset = head_offset + int64_t{row} * row_stride;
  const T* v_row = v + head_offset;  // of the first key of this iteration
  const T* const p_row = p + ((int64_t{blockIdx.z} * heads + blockIdx.y) * seqlen + row) * seqlen;

  float o_regs[head_dim] = {};
  for (int key = 0; key < seqlen; key += chunk_elems) {
    const Pair p_pair = unpack2<T>(ld_global_4(p_row + key));
#pragma unroll
    for (int chunk = 0; chunk < row_chunks; chunk++) {
      const Pair x = unpack2<T>(ld_global_4(v_row + chunk * chunk_elems));
      const Pair y = unpack2<T>(ld_global_4(v_row + row_stride + chunk * chunk_elems));
      o_regs[chunk * 2] += p_pair.low * x.low + p_pair.high * y.low;
      o_regs[chunk * 2 + 1] += p_pair.low * x.high + p_pair.high * y.high;
    }
    v_row += chunk_elems * row_stride;
  }
#pragma unroll
  for (int chunk = 0; chunk < row_chunks; chunk++) {
    const uint32_t pair = pack2<T>(o_regs[chunk * 2], o_regs[chunk * 2 + 1]);
    st_global_4(o + row_offset + chunk * chunk_elems, pair);
  }
}

const TileShape tile{.config = "128x2",
                     .tile_rows = threads,
                     .tile_cols = chunk_elems,
                     .threads = threads,
                     .smem_bytes = 0,
                     .scalar = true};

// S and then P are in the workspace.
template <typename T>
std::vector<Launch> plan(const Problem& problem, const Tensors& tensors) {
  const Grid grid{problem.seqlen / threads, problem.heads, problem.batch};
  T* const s = static_cast<T*>(tensors.workspace);
  return {launch<scores<T>>(grid, threads, 0, static_cast<const T*>(tensors.q), static_cast<const T*>(tensors.k), s,
                            problem.seqlen, problem.heads),
          launch<softmax<T>>(grid, threads, 0, s, problem.seqlen, problem.heads),
          launch<output<T>>(grid, threads, 0, s, static_cast<const T*>(tensors.v), static_cast<T*>(tensors.o),
                            problem.seqlen, problem.heads)};
}

int64_t score_bytes(const Problem& problem) {
  return int64_t{2} * problem.batch * problem.heads * problem.seqlen * problem.seqlen;
}

template <typename T>
Variant in_type() {
  return {.tile = tile, .dtype = dtype_of<T>(), .plan = plan<T>, .workspace_bytes = score_bytes};
}

const Registration registration(__FILE__, "standard attention: three kernels, and S in memory",
                                {in_type<fp16_t>(), in_type<bf16_t>()});

}  // namespace
}  // namespace flash_steps
