// p03_fa1: tiles in shared memory, as the first FlashAttention paper orders them.
//
// Changed since p02_online: a CTA takes a tile of K and V to shared memory and walks over all query rows with it, then
// the next tile. What has been found out of a row so far, its O, its maximum and its sum, waits in memory meanwhile: a
// workspace. A CTA computes a head, since no two of them could share a row of O.
//
// What to look at: `./runner --kernel=p02,p03`: what is read of global memory is a twentieth, and O's way there and
// back is most of it.

#include "harness/contract/kernel.h"
#include "isa.cuh"

namespace flash_steps {
namespace {

constexpr int head_dim = 128;
constexpr int tile_rows = 64;  // query rows of a tile, one a thread
constexpr int tile_cols = 64;  // key and value rows of a tile
constexpr int warps = tile_rows / 32;
constexpr int ctas_per_sm = 2;  // as many as shared memory has room for

constexpr int element_bytes = 2;
constexpr int chunk_elems = 2;  // a chunk is what one lane copies: 4 bytes
constexpr int chunk_bytes = chunk_elems * element_bytes;
constexpr int row_chunks = head_dim / chunk_elems;
constexpr int row_bytes = head_dim * element_bytes;
constexpr int s_row_bytes = tile_cols * 4;
constexpr int state_elems = head_dim + 2;  // of a row, in fp32: O, maximum and sum, of the keys so far

// exp(x) = exp2(x·log2(e)), and exp2 is one instruction.
constexpr float softmax_scale_log2 = 0.08838834764831845f * 1.4426950408889634f;  // 1/√head_dim · log2(e)

// Where a chunk lies in a tile in shared memory, in bytes.
__device__ __forceinline__ uint32_t smem_offset(int row, int chunk) { return row * row_bytes + chunk * chunk_bytes; }

// Copies rows of a matrix in global memory to a tile in shared memory, a row a thread.
template <int rows, typename T>
__device__ __forceinline__ void copy_tile(uint32_t tile_smem, const T* tile_gmem, int row_stride) {
  const int row = threadIdx.x;
  static_assert(rows == warps * 32);
#pragma unroll
  for (int chunk = 0; chunk < row_chunks; chunk++) {
    st_shared_4(tile_smem + smem_offset(row, chunk), ld_global_4(tile_gmem + row * row_stride + chunk * chunk_elems));
  }
}

// Of a row of Q and a row of K.
template <typename T>
__device__ __forceinline__ float dot(uint32_t q_row_smem, uint32_t k_row_smem) {
  float sum = 0;
#pragma unroll 4
  for (int chunk = 0; chunk < row_chunks; chunk++) {
    const Pair x = unpack2<T>(ld_shared_4(q_row_smem + chunk * chunk_bytes));
    const Pair y = unpack2<T>(ld_shared_4(k_row_smem + chunk * chunk_bytes));
    sum += x.low * y.low;
    sum += x.high * y.high;
  }
  return sum;
}

template <typename T>
__global__ void __launch_bounds__(warps * 32, ctas_per_sm)
    attention(const T* __restrict__ q,    // [batch, seqlen, heads, head_dim]
              const T* __restrict__ k,    // [batch, seqlen, heads, head_dim]
              const T* __restrict__ v,    // [batch, seqlen, heads, head_dim]
              T* __restrict__ o,          // [batch, seqlen, heads, head_dim]
              float* __restrict__ state,  // [batch, heads, seqlen, state_elems]
              int seqlen, int heads) {
  const int row = threadIdx.x;  // of this thread in a query tile

  const int row_stride = heads * head_dim;  // in elements
  const int64_t head_offset = int64_t{blockIdx.z} * seqlen * row_stride + blockIdx.y * head_dim;
  const T* k_gmem = k + head_offset;  // the K tile of this iteration
  const T* v_gmem = v + head_offset;

  const uint32_t q_smem = shared_base();
  const uint32_t k_smem = q_smem + tile_rows * row_bytes;
  const uint32_t v_smem = k_smem + tile_cols * row_bytes;
  const uint32_t s_row_smem = v_smem + tile_cols * row_bytes + row * s_row_bytes;

  for (int kv_block = 0; kv_block < seqlen / tile_cols; kv_block++) {
    barrier();  // all threads are done with the last K and V
    copy_tile<tile_cols>(k_smem, k_gmem, row_stride);
    copy_tile<tile_cols>(v_smem, v_gmem, row_stride);
    barrier();  // K and V are here for all threads
    k_gmem += tile_cols * row_stride;
    v_gmem += tile_cols * row_stride;

    const T* q_gmem = q + head_offset;  // the Q tile of this iteration
    T* o_row = o + head_offset + row * row_stride;
    float* state_row = state + ((int64_t{blockIdx.z} * heads + blockIdx.y) * seqlen + row) * state_elems;
    for (int q_block = 0; q_block < seqlen / tile_rows; q_block++) {
      copy_tile<tile_rows>(q_smem, q_gmem, row_stride);  // a thread reads its own row alone
      float row_max = -INFINITY;
      float row_sum = 0;
      if (kv_block > 0) {
        row_max = float_of(ld_global_4(state_row + head_dim));
        row_sum = float_of(ld_global_4(state_row + head_dim + 1));
      }

      // S = Q·Kᵀ
      float new_max = row_max;
      for (int key = 0; key < tile_cols; key++) {
        const float s = dot<T>(q_smem + smem_offset(row, 0), k_smem + smem_offset(key, 0)) * softmax_scale_log2;
        st_shared_4(s_row_smem + key * 4, bits_of(s));
        new_max = fmaxf(new_max, s);
      }

      // Online softmax: with a new maximum, what was summed up so far shrinks by exp2(old maximum − new maximum).
      const float shrink = exp2_approx(row_max - new_max) * row_sum;  // O was divided by that sum
      row_max = new_max;
      row_sum = shrink;
      for (int key = 0; key < tile_cols; key++) {
        const float p = exp2_approx(float_of(ld_shared_4(s_row_smem + key * 4)) - row_max);
        st_shared_4(s_row_smem + key * 4, bits_of(p));
        row_sum += p;
      }

      // O = (O·old sum·shrink + P·V) / new sum
      for (int chunk = 0; chunk < row_chunks; chunk++) {
        Pair sum = {0, 0};
        if (kv_block > 0) {
          sum.low = float_of(ld_global_4(state_row + chunk * 2)) * shrink;
          sum.high = float_of(ld_global_4(state_row + chunk * 2 + 1)) * shrink;
        }
#pragma unroll 4
        for (int key = 0; key < tile_cols; key++) {
          const float p = float_of(ld_shared_4(s_row_smem + key * 4));
          const Pair x = unpack2<T>(ld_shared_4(v_smem + smem_offset(key, chunk)));
          sum.low += p * x.low;
          sum.high += p * x.high;
        }
        sum = {sum.low / row_sum, sum.high / row_sum};
        st_global_4(state_row + chunk * 2, bits_of(sum.low));
        st_global_4(state_row + chunk * 2 + 1, bits_of(sum.high));
        if ((kv_block + 1) * tile_cols == seqlen) st_global_4(o_row + chunk * chunk_elems, pack2<T>(sum.low, sum.high));
      }
      st_global_4(state_row + head_dim, bits_of(row_max));
      st_global_4(state_row + head_dim + 1, bits_of(row_sum));
      q_gmem += tile_rows * row_stride;
      o_row += tile_rows * row_stride;
      state_row += tile_rows * state_elems;
    }
  }
}

const TileShape tile{.config = "64x64",
                     .tile_rows = tile_rows,
                     .tile_cols = tile_cols,
                     .threads = warps * 32,
                     .smem_bytes = (tile_rows + 2 * tile_cols) * row_bytes + tile_rows * s_row_bytes,
                     .scalar = true};

template <typename T>
std::vector<Launch> plan(const Problem& problem, const Tensors& tensors) {
  return {launch<attention<T>>({1, problem.heads, problem.batch}, tile.threads, tile.smem_bytes,
                               static_cast<const T*>(tensors.q), static_cast<const T*>(tensors.k),
                               static_cast<const T*>(tensors.v), static_cast<T*>(tensors.o),
                               static_cast<float*>(tensors.workspace), problem.seqlen, problem.heads)};
}

int64_t state_bytes(const Problem& problem) {
  return int64_t{4} * problem.batch * problem.heads * problem.seqlen * state_elems;
}

template <typename T>
Variant in_type() {
  return {.tile = tile, .dtype = dtype_of<T>(), .plan = plan<T>, .workspace_bytes = state_bytes};
}

const Registration registration(__FILE__, "FlashAttention's first order of loops: a head a CTA, O in memory",
                                {in_type<fp16_t>(), in_type<bf16_t>()});

}  // namespace
}  // namespace flash_steps
