// p06_warp_rows: a warp owns rows, and its lanes share each of them.
//
// Changed since p05_coalesced: sixteen warps instead of two, with four rows each. For S a lane has keys, for O it has
// dimensions; P goes through shared memory in between. Four numbers of each row of O are a lane's, so that O fits into
// registers. Maximum and sum of a row are found by shuffles. K and V have a tile each, which saves two barriers of
// four.
//
// What to look at: `./runner --kernel=p06 --explain`: nearly all conflicts are on one line, the one that reads K.

#include "harness/contract/kernel.h"
#include "isa.cuh"

namespace flash_steps {
namespace {

constexpr int head_dim = 128;
constexpr int tile_rows = 64;  // query rows of a CTA
constexpr int tile_cols = 64;  // key and value rows of one iteration
constexpr int warps = 16;
constexpr int ctas_per_sm = 2;  // as many as shared memory has room for
constexpr int warp_rows = tile_rows / warps;

constexpr int element_bytes = 2;
constexpr int chunk_elems = 2;  // a chunk is what one lane copies: 4 bytes
constexpr int chunk_bytes = chunk_elems * element_bytes;
constexpr int row_chunks = head_dim / chunk_elems;
constexpr int row_bytes = head_dim * element_bytes;
constexpr int s_row_bytes = tile_cols * 4;

// exp(x) = exp2(x·log2(e)), and exp2 is one instruction.
constexpr float softmax_scale_log2 = 0.08838834764831845f * 1.4426950408889634f;  // 1/√head_dim · log2(e)

// Where a chunk lies in a tile in shared memory, in bytes.
__device__ __forceinline__ uint32_t smem_offset(int row, int chunk) { return row * row_bytes + chunk * chunk_bytes; }

// Copies rows of a matrix in global memory to a tile in shared memory. Neighbouring threads copy a row: whole sectors
// of global memory, and all banks of shared memory.
template <int rows, typename T>
__device__ __forceinline__ void copy_tile(uint32_t tile_smem, const T* tile_gmem, int row_stride) {
  const int row = threadIdx.x / row_chunks;
  const int chunk = threadIdx.x % row_chunks;
  constexpr int rows_at_once = warps * 32 / row_chunks;
#pragma unroll
  for (int r = 0; r < rows; r += rows_at_once) {
    st_shared_4(tile_smem + smem_offset(r + row, chunk),
                ld_global_4(tile_gmem + (r + row) * row_stride + chunk * chunk_elems));
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

// A row of S is spread over the 32 lanes of its warp.
__device__ __forceinline__ float max_of_warp(float value) {
#pragma unroll
  for (int mask = 16; mask > 0; mask /= 2) value = fmaxf(value, shfl_xor(value, mask));
  return value;
}

__device__ __forceinline__ float sum_of_warp(float value) {
#pragma unroll
  for (int mask = 16; mask > 0; mask /= 2) value += shfl_xor(value, mask);
  return value;
}

template <typename T>
__global__ void __launch_bounds__(warps * 32, ctas_per_sm)
    attention(const T* __restrict__ q,  // [batch, seqlen, heads, head_dim]
              const T* __restrict__ k,  // [batch, seqlen, heads, head_dim]
              const T* __restrict__ v,  // [batch, seqlen, heads, head_dim]
              T* __restrict__ o,        // [batch, seqlen, heads, head_dim]
              int seqlen, int heads) {
  const int lane = threadIdx.x % 32;
  const int warp_row = threadIdx.x / 32 * warp_rows;  // first row of this warp in the query tile

  const int row_stride = heads * head_dim;  // in elements
  const int64_t head_offset = int64_t{blockIdx.z} * seqlen * row_stride + blockIdx.y * head_dim;
  const int64_t tile_offset = head_offset + int64_t{blockIdx.x} * tile_rows * row_stride;
  const T* k_gmem = k + head_offset;  // the K tile of this iteration
  const T* v_gmem = v + head_offset;

  const uint32_t q_smem = shared_base();
  const uint32_t k_smem = q_smem + tile_rows * row_bytes;
  const uint32_t v_smem = k_smem + tile_cols * row_bytes;
  const uint32_t s_warp = v_smem + tile_cols * row_bytes + warp_row * s_row_bytes;  // of this warp's rows

  copy_tile<tile_rows>(q_smem, q + tile_offset, row_stride);

  float row_max[warp_rows];
  float row_sum[warp_rows] = {};    // of this lane's columns; summed over the warp at the end
  float o_regs[warp_rows][4] = {};  // of dimensions 2·lane, 2·lane + 1, 2·lane + 64, 2·lane + 65
#pragma unroll
  for (int r = 0; r < warp_rows; r++) row_max[r] = -INFINITY;

  for (int kv_block = 0; kv_block < seqlen / tile_cols; kv_block++) {
    copy_tile<tile_cols>(k_smem, k_gmem, row_stride);
    barrier();  // Q and K are here for all warps, and all warps are done with the last V

    float shrink[warp_rows];
#pragma unroll
    for (int r = 0; r < warp_rows; r++) {
      // S = Q·Kᵀ
      const uint32_t q_row_smem = q_smem + smem_offset(warp_row + r, 0);
      const float s0 = dot<T>(q_row_smem, k_smem + smem_offset(lane, 0)) * softmax_scale_log2;
      const float s1 = dot<T>(q_row_smem, k_smem + smem_offset(lane + 32, 0)) * softmax_scale_log2;

      // Online softmax: with a new maximum, what was summed up so far shrinks by exp2(old maximum − new maximum).
      const float new_max = fmaxf(row_max[r], max_of_warp(fmaxf(s0, s1)));
      const float p0 = exp2_approx(s0 - new_max);
      const float p1 = exp2_approx(s1 - new_max);
      shrink[r] = exp2_approx(row_max[r] - new_max);
      row_max[r] = new_max;
      row_sum[r] = row_sum[r] * shrink[r] + p0 + p1;
      st_shared_4(s_warp + r * s_row_bytes + lane * 4, bits_of(p0));
      st_shared_4(s_warp + r * s_row_bytes + (lane + 32) * 4, bits_of(p1));
    }

    copy_tile<tile_cols>(v_smem, v_gmem, row_stride);
    barrier();  // V is here for all warps, all warps are done with K, and P is here for all lanes of this warp
    k_gmem += tile_cols * row_stride;
    v_gmem += tile_cols * row_stride;

    // O = O·shrink + P·V
#pragma unroll
    for (int r = 0; r < warp_rows; r++) {
#pragma unroll
      for (int i = 0; i < 4; i++) o_regs[r][i] *= shrink[r];
#pragma unroll 4
      for (int key = 0; key < tile_cols; key++) {
        const float p = float_of(ld_shared_4(s_warp + r * s_row_bytes + key * 4));
        const Pair left = unpack2<T>(ld_shared_4(v_smem + smem_offset(key, lane)));
        const Pair right = unpack2<T>(ld_shared_4(v_smem + smem_offset(key, lane + 32)));
        o_regs[r][0] += p * left.low;
        o_regs[r][1] += p * left.high;
        o_regs[r][2] += p * right.low;
        o_regs[r][3] += p * right.high;
      }
    }
  }

  // O = O / row sum
#pragma unroll
  for (int r = 0; r < warp_rows; r++) {
    const float sum = sum_of_warp(row_sum[r]);
    T* const o_row = o + tile_offset + (warp_row + r) * row_stride;
    st_global_4(o_row + lane * 2, pack2<T>(o_regs[r][0] / sum, o_regs[r][1] / sum));
    st_global_4(o_row + lane * 2 + 64, pack2<T>(o_regs[r][2] / sum, o_regs[r][3] / sum));
  }
}

const TileShape tile{.config = "64x64",
                     .tile_rows = tile_rows,
                     .tile_cols = tile_cols,
                     .threads = warps * 32,
                     .smem_bytes = (tile_rows + 2 * tile_cols) * row_bytes + tile_rows * s_row_bytes,
                     .scalar = true};

const Registration registration(__FILE__, "a warp owns four rows: keys for S, dimensions for O",
                                {variant<attention<fp16_t>>(tile), variant<attention<bf16_t>>(tile)});

}  // namespace
}  // namespace flash_steps
