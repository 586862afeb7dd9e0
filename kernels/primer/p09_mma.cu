// p09_mma: the tensor core's own instruction.
//
// Changed since p08_wmma: mma and ldmatrix, of which PTX says which lane holds what. So a fragment of Q or P, once
// loaded, serves all keys or dimensions of a tile. S, P and P·V still go through shared memory, for softmax and O are
// as they were.
//
// What to look at: `./runner --kernel=p08,p09 --explain`: the loads of Q and P are a quarter and an eighth.

#include "harness/contract/kernel.h"
#include "isa.cuh"

namespace flash_steps {
namespace {

constexpr int head_dim = 128;
constexpr int tile_rows = 64;  // query rows of a CTA
constexpr int tile_cols = 64;  // key and value rows of one iteration
constexpr int warps = 4;
constexpr int ctas_per_sm = 2;  // as many as shared memory has room for; it leaves 255 registers to a thread
constexpr int warp_rows = tile_rows / warps;

constexpr int element_bytes = 2;
constexpr int chunk_elems = 8;  // a chunk is what one lane copies: 16 bytes
constexpr int chunk_bytes = chunk_elems * element_bytes;
constexpr int row_chunks = head_dim / chunk_elems;
constexpr int row_bytes = head_dim * element_bytes;
constexpr int s_row_bytes = tile_cols * 4;  // S in fp32, and P in 16 bits in the left half of its row
constexpr int pv_row_bytes = head_dim * 4;
static_assert(s_row_bytes == row_bytes, "smem_offset() is for rows of S, too");

// The tensor core multiplies 16×16 by 16×8; two of the latter are what one ldmatrix.x4 loads.
constexpr int row_frags = warp_rows / 16;  // of Q, S, P and O, along the query rows
constexpr int col_frags = tile_cols / 16;  // of K, V, S and P, along the keys: the k-slices of P·V
constexpr int dim_frags = head_dim / 16;   // of Q, K, V and O, along head_dim: the k-slices of Q·Kᵀ

// exp(x) = exp2(x·log2(e)), and exp2 is one instruction.
constexpr float softmax_scale_log2 = 0.08838834764831845f * 1.4426950408889634f;  // 1/√head_dim · log2(e)

// Where a chunk lies in a tile in shared memory, in bytes.
__device__ __forceinline__ uint32_t smem_offset(int row, int chunk) { return row * row_bytes + chunk * chunk_bytes; }

// Copies rows of a matrix in global memory to a tile in shared memory. Sixteen neighbouring threads copy a row: whole
// sectors of global memory, and all banks of shared memory.
template <int rows, typename T>
__device__ __forceinline__ void copy_tile(uint32_t tile_smem, const T* tile_gmem, int row_stride) {
  const int row = threadIdx.x / row_chunks;
  const int chunk = threadIdx.x % row_chunks;
  constexpr int rows_at_once = warps * 32 / row_chunks;
#pragma unroll
  for (int r = 0; r < rows; r += rows_at_once) {
    st_shared_16(tile_smem + smem_offset(r + row, chunk),
                 ld_global_16(tile_gmem + (r + row) * row_stride + chunk * chunk_elems));
  }
}

// Loads fragments of 16 rows and 16 columns, one below the other: lanes 0 to 15 point at the rows of the left half of
// a fragment, lanes 16 to 31 at those of its right half.
template <int count>
__device__ __forceinline__ void load_fragments(uint32_t (&regs)[count][4], uint32_t tile_smem, int row, int dim_frag) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int i = 0; i < count; i++) {
    ldmatrix_x4(regs[i], tile_smem + smem_offset(row + i * 16 + lane % 16, dim_frag * 2 + lane / 16));
  }
}

// The same side by side and transposed: V is the right operand of P·V, which the tensor core wants column by column.
template <int count>
__device__ __forceinline__ void load_fragments_trans(uint32_t (&regs)[count][4], uint32_t tile_smem, int row) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int i = 0; i < count; i++) {
    ldmatrix_x4_trans(regs[i], tile_smem + smem_offset(row + lane % 16, i * 2 + lane / 16));
  }
}

// Stores accumulators, one fragment of 16 rows and 8 columns beside the other: a lane has two neighbours of two rows.
template <int count>
__device__ __forceinline__ void store_fragments(uint32_t tile_smem, int stride, const float (&regs)[count][4]) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int n = 0; n < count; n++) {
    st_shared_8(tile_smem + lane / 4 * stride + (n * 4 + lane % 4) * 8, {regs[n][0], regs[n][1]});
    st_shared_8(tile_smem + (lane / 4 + 8) * stride + (n * 4 + lane % 4) * 8, {regs[n][2], regs[n][3]});
  }
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
  const uint32_t pv_warp = v_smem + tile_cols * row_bytes + tile_rows * s_row_bytes + warp_row * pv_row_bytes;

  copy_tile<tile_rows>(q_smem, q + tile_offset, row_stride);

  float row_max[warp_rows];
  float row_sum[warp_rows] = {};    // of this lane's columns; summed over the warp at the end
  float o_regs[warp_rows][4] = {};  // of dimensions 2·lane, 2·lane + 1, 2·lane + 64, 2·lane + 65
#pragma unroll
  for (int r = 0; r < warp_rows; r++) row_max[r] = -INFINITY;

  for (int kv_block = 0; kv_block < seqlen / tile_cols; kv_block++) {
    copy_tile<tile_cols>(k_smem, k_gmem, row_stride);
    barrier();  // Q and K are here for all warps, and all warps are done with the last V

    // S = Q·Kᵀ
    uint32_t q_regs[dim_frags][row_frags][4];
    uint32_t k_regs[dim_frags][col_frags][4];
#pragma unroll
    for (int d = 0; d < dim_frags; d++) load_fragments(q_regs[d], q_smem, warp_row, d);
#pragma unroll
    for (int d = 0; d < dim_frags; d++) load_fragments(k_regs[d], k_smem, 0, d);
    float s_regs[row_frags][col_frags * 2][4] = {};
#pragma unroll
    for (int d = 0; d < dim_frags; d++) {
#pragma unroll
      for (int r = 0; r < row_frags; r++) {
#pragma unroll
        for (int n = 0; n < col_frags * 2; n++) {
          mma_m16n8k16<T>(s_regs[r][n], q_regs[d][r], k_regs[d][n / 2][n % 2], k_regs[d][n / 2][n % 2 + 2],
                          s_regs[r][n]);
        }
      }
    }
    store_fragments(s_warp, s_row_bytes, s_regs[0]);

    copy_tile<tile_cols>(v_smem, v_gmem, row_stride);
    barrier();  // V is here for all warps, all warps are done with K, and S is here for all lanes of this warp
    k_gmem += tile_cols * row_stride;
    v_gmem += tile_cols * row_stride;

    Pair s[warp_rows];
#pragma unroll
    for (int r = 0; r < warp_rows; r++) s[r] = ld_shared_8(s_warp + r * s_row_bytes + lane * 8);
    warp_barrier();  // P takes the place of S

    // Online softmax: with a new maximum, what was summed up so far shrinks by exp2(old maximum − new maximum).
    float shrink[warp_rows];
#pragma unroll
    for (int r = 0; r < warp_rows; r++) {
      const float s0 = s[r].low * softmax_scale_log2;
      const float s1 = s[r].high * softmax_scale_log2;
      const float new_max = fmaxf(row_max[r], max_of_warp(fmaxf(s0, s1)));
      const float p0 = exp2_approx(s0 - new_max);
      const float p1 = exp2_approx(s1 - new_max);
      shrink[r] = exp2_approx(row_max[r] - new_max);
      row_max[r] = new_max;
      row_sum[r] = row_sum[r] * shrink[r] + p0 + p1;
      st_shared_4(s_warp + r * s_row_bytes + lane * 4, pack2<T>(p0, p1));
    }
    warp_barrier();  // a lane reads what other lanes of its warp computed

    // P·V
    uint32_t p_regs[col_frags][row_frags][4];
    float pv_regs[row_frags][dim_frags * 2][4] = {};
#pragma unroll
    for (int c = 0; c < col_frags; c++) load_fragments(p_regs[c], s_warp, 0, c);
#pragma unroll
    for (int c = 0; c < col_frags; c++) {
      uint32_t v_regs[dim_frags][4];
      load_fragments_trans(v_regs, v_smem, c * 16);
#pragma unroll
      for (int r = 0; r < row_frags; r++) {
#pragma unroll
        for (int n = 0; n < dim_frags * 2; n++) {
          mma_m16n8k16<T>(pv_regs[r][n], p_regs[c][r], v_regs[n / 2][n % 2 * 2], v_regs[n / 2][n % 2 * 2 + 1],
                          pv_regs[r][n]);
        }
      }
    }
    store_fragments(pv_warp, pv_row_bytes, pv_regs[0]);
    warp_barrier();  // a lane reads what other lanes of its warp computed

    // O = O·shrink + P·V
#pragma unroll
    for (int r = 0; r < warp_rows; r++) {
      const Pair left = ld_shared_8(pv_warp + r * pv_row_bytes + lane * 8);
      const Pair right = ld_shared_8(pv_warp + r * pv_row_bytes + lane * 8 + 256);
      o_regs[r][0] = o_regs[r][0] * shrink[r] + left.low;
      o_regs[r][1] = o_regs[r][1] * shrink[r] + left.high;
      o_regs[r][2] = o_regs[r][2] * shrink[r] + right.low;
      o_regs[r][3] = o_regs[r][3] * shrink[r] + right.high;
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
                     .smem_bytes = (tile_rows + 2 * tile_cols) * row_bytes + tile_rows * (s_row_bytes + pv_row_bytes)};

const Registration registration(__FILE__, "mma and ldmatrix: S, P and P·V through shared memory",
                                {variant<attention<fp16_t>>(tile), variant<attention<bf16_t>>(tile)});

}  // namespace
}  // namespace flash_steps
