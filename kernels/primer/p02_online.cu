// p02_online: one kernel, and no matrix of scores.
//
// Changed since p01_standard: the softmax does not wait for the end of the row. A thread takes the score of one key and
// at once adds the key's row of V to its O. When a score comes that is larger than all before it, what was summed up so
// far shrinks. So S and P are numbers in a register, and of memory no more is touched than Q, K, V and O have.
//
// What to look at: `./runner --kernel=p01,p02`: the distinct bytes. The sectors are as many as before: each thread
// still reads all of K and V.

#include "harness/contract/kernel.h"
#include "isa.cuh"

namespace flash_steps {
namespace {

constexpr int head_dim = 128;
constexpr int threads = 128;  // of a CTA: as many query rows

constexpr int chunk_elems = 2;  // a chunk is what one lane loads: 4 bytes
constexpr int row_chunks = head_dim / chunk_elems;

// exp(x) = exp2(x·log2(e)), and exp2 is one instruction.
constexpr float softmax_scale_log2 = 0.08838834764831845f * 1.4426950408889634f;  // 1/√head_dim · log2(e)

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

template <typename T>
__global__ void __launch_bounds__(threads) attention(const T* __restrict__ q,  // [batch, seqlen, heads, head_dim]
                                                     const T* __restrict__ k,  // [batch, seqlen, heads, head_dim]
                                                     const T* __restrict__ v,  // [batch, seqlen, heads, head_dim]
                                                     T* __restrict__ o,        // [batch, seqlen, heads, head_dim]
                                                     int seqlen, int heads) {
  const int row = blockIdx.x * threads + threadIdx.x;

  const int row_stride = heads * head_dim;  // in elements
  const int64_t head_offset = int64_t{blockIdx.z} * seqlen * row_stride + blockIdx.y * head_dim;
  const int64_t row_offset = head_offset + int64_t{row} * row_stride;
  const T* k_row = k + head_offset;  // of the key of this iteration
  const T* v_row = v + head_offset;

  float row_max = -INFINITY;
  float row_sum = 0;
  float o_regs[head_dim] = {};

  for (int key = 0; key < seqlen; key++) {
    // S = Q·Kᵀ
    const float s = dot(q + row_offset, k_row) * softmax_scale_log2;

    // Online softmax: with a new maximum, what was summed up so far shrinks by exp2(old maximum − new maximum).
    const float new_max = fmaxf(row_max, s);
    const float shrink = exp2_approx(row_max - new_max);
    const float p = exp2_approx(s - new_max);
    row_max = new_max;
    row_sum = row_sum * shrink + p;

    // O = O·shrink + P·V
#pragma unroll
    for (int chunk = 0; chunk < row_chunks; chunk++) {
      const Pair x = unpack2<T>(ld_global_4(v_row + chunk * chunk_elems));
      o_regs[chunk * 2] = o_regs[chunk * 2] * shrink + p * x.low;
      o_regs[chunk * 2 + 1] = o_regs[chunk * 2 + 1] * shrink + p * x.high;
    }
    k_row += row_stride;
    v_row += row_stride;
  }

  // O = O / row sum
#pragma unroll
  for (int chunk = 0; chunk < row_chunks; chunk++) {
    const uint32_t pair = pack2<T>(o_regs[chunk * 2] / row_sum, o_regs[chunk * 2 + 1] / row_sum);
    st_global_4(o + row_offset + chunk * chunk_elems, pair);
  }
}

const TileShape tile{
    .config = "128x1", .tile_rows = threads, .tile_cols = 1, .threads = threads, .smem_bytes = 0, .scalar = true};

const Registration registration(__FILE__, "one kernel with an online softmax, a row a thread",
                                {variant<attention<fp16_t>>(tile), variant<attention<bf16_t>>(tile)});

}  // namespace
}  // namespace flash_steps
