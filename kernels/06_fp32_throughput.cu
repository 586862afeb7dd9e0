// 06_fp32_throughput: the softmax scale moves into the exponent, where it costs nothing.
//
// Changed since 05_double_buffering: exp2(s·c − m·c) is one FFMA and one MUFU for each element of S, instead of a
// multiply, a subtract and a MUFU. The maximum is found among the unscaled S, since c is positive, and scaled once a
// row.
//
// What to look at: in the main loop the 32 FMUL of the scale are gone but for two, and 32 FADD became FFMA.

#include "harness/contract/kernel.h"
#include "isa.cuh"

namespace flash_steps {
namespace {

constexpr int head_dim = 128;
constexpr int tile_rows = 64;  // query rows of a CTA
constexpr int tile_cols = 64;  // key and value rows of one iteration
constexpr int warps = 4;
constexpr int ctas_per_sm = 3;  // more of them hide each other's waits; it leaves 168 registers to a thread
constexpr int warp_rows = tile_rows / warps;

constexpr int element_bytes = 2;
constexpr int chunk_elems = 8;  // a chunk is what one lane copies: 16 bytes
constexpr int chunk_bytes = chunk_elems * element_bytes;
constexpr int row_chunks = head_dim / chunk_elems;
constexpr int row_bytes = head_dim * element_bytes;

// The tensor core multiplies 16×16 by 16×8; two of the latter are what one ldmatrix.x4 loads.
constexpr int row_frags = warp_rows / 16;  // of Q, S, P and O, along the query rows
constexpr int col_frags = tile_cols / 16;  // of K, V, S and P, along the keys: the k-slices of P·V
constexpr int dim_frags = head_dim / 16;   // of Q, K, V and O, along head_dim: the k-slices of Q·Kᵀ

constexpr int slices = 2;         // k-slices whose fragments are loaded at a time
constexpr int held = 2 * slices;  // those that are being multiplied, and those that are being loaded

// exp(x) = exp2(x·log2(e)), and exp2 is one instruction.
constexpr float softmax_scale_log2 = 0.08838834764831845f * 1.4426950408889634f;  // 1/√head_dim · log2(e)

// Where a chunk lies in a tile in shared memory, in bytes.
__device__ __forceinline__ uint32_t smem_offset(int row, int chunk) {
  return row * row_bytes + (chunk ^ row % 8) * chunk_bytes;
}

// Starts to copy rows of a matrix in global memory to a tile in shared memory. Sixteen neighbouring threads copy a
// row: whole sectors of global memory, and all banks of shared memory.
template <int rows, typename T>
__device__ __forceinline__ void copy_tile_async(uint32_t tile_smem, const T* tile_gmem, int row_stride) {
  const int row = threadIdx.x / row_chunks;
  const int chunk = threadIdx.x % row_chunks;
  constexpr int rows_at_once = warps * 32 / row_chunks;
#pragma unroll
  for (int r = 0; r < rows; r += rows_at_once) {
    cp_async_16(tile_smem + smem_offset(r + row, chunk), tile_gmem + (r + row) * row_stride + chunk * chunk_elems);
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

// The row maximum and row sum are spread over the four lanes that hold the columns of a row.
__device__ __forceinline__ float max_of_quad(float value) {
  value = fmaxf(value, shfl_xor(value, 1));
  return fmaxf(value, shfl_xor(value, 2));
}

__device__ __forceinline__ float sum_of_quad(float value) {
  value += shfl_xor(value, 1);
  return value + shfl_xor(value, 2);
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
  const uint32_t o_smem = q_smem;  // Q has been read for the last time when O needs a place

  copy_tile_async<tile_rows>(q_smem, q + tile_offset, row_stride);
  copy_tile_async<tile_cols>(k_smem, k_gmem, row_stride);
  cp_async_commit();

  // A lane holds two rows of each fragment: lane / 4 and lane / 4 + 8.
  float row_max[row_frags][2];       // times softmax_scale_log2
  float row_sum[row_frags][2] = {};  // of this lane's columns; summed over the quad at the end
  float o_regs[row_frags][dim_frags * 2][4] = {};
#pragma unroll
  for (int r = 0; r < row_frags; r++) row_max[r][0] = row_max[r][1] = -INFINITY;

  for (int kv_block = 0; kv_block < seqlen / tile_cols; kv_block++) {
    cp_async_wait<0>();
    barrier();  // Q and K are here for all warps, and all warps are done with the last V
    copy_tile_async<tile_cols>(v_smem, v_gmem, row_stride);
    cp_async_commit();

    // S = Q·Kᵀ
    uint32_t q_regs[held][row_frags][4];
    uint32_t k_regs[held][col_frags][4];
    float s_regs[row_frags][col_frags * 2][4] = {};
    const auto load_qk_slices = [&](int first) {
#pragma unroll
      for (int d = first; d < first + slices && d < dim_frags; d++) {
        load_fragments(q_regs[d % held], q_smem, warp_row, d);
        load_fragments(k_regs[d % held], k_smem, 0, d);
      }
    };
    load_qk_slices(0);
#pragma unroll
    for (int d = 0; d < dim_frags; d++) {
      if (d % slices == 0) load_qk_slices(d + slices);
#pragma unroll
      for (int r = 0; r < row_frags; r++) {
#pragma unroll
        for (int n = 0; n < col_frags * 2; n++) {
          mma_m16n8k16<T>(s_regs[r][n], q_regs[d % held][r], k_regs[d % held][n / 2][n % 2],
                          k_regs[d % held][n / 2][n % 2 + 2], s_regs[r][n]);
        }
      }
    }

    cp_async_wait<0>();
    barrier();  // V is here for all warps, and all warps are done with K
    k_gmem += tile_cols * row_stride;
    v_gmem += tile_cols * row_stride;

    // Online softmax: with a new maximum, what was summed up so far shrinks by exp2(old maximum − new maximum).
#pragma unroll
    for (int r = 0; r < row_frags; r++) {
      for (int half = 0; half < 2; half++) {
        float block_max = fmaxf(s_regs[r][0][half * 2], s_regs[r][0][half * 2 + 1]);
#pragma unroll
        for (int n = 1; n < col_frags * 2; n++) {
          block_max = fmaxf(block_max, fmaxf(s_regs[r][n][half * 2], s_regs[r][n][half * 2 + 1]));
        }
        const float new_max = fmaxf(row_max[r][half], max_of_quad(block_max) * softmax_scale_log2);
        const float shrink = exp2_approx(row_max[r][half] - new_max);
        row_max[r][half] = new_max;
        row_sum[r][half] *= shrink;
#pragma unroll
        for (int n = 0; n < dim_frags * 2; n++) {
          o_regs[r][n][half * 2] *= shrink;
          o_regs[r][n][half * 2 + 1] *= shrink;
        }
      }
    }

    if (kv_block + 1 < seqlen / tile_cols) {
      copy_tile_async<tile_cols>(k_smem, k_gmem, row_stride);
      cp_async_commit();
    }

    // O += P·V with P = exp2(S − maximum). Two accumulators of S, eight columns each, are one left operand of sixteen.
    uint32_t v_regs[held][dim_frags][4];
    const auto load_v_slices = [&](int first) {
#pragma unroll
      for (int c = first; c < first + slices && c < col_frags; c++) {
        load_fragments_trans(v_regs[c % held], v_smem, c * 16);
      }
    };
    load_v_slices(0);
#pragma unroll
    for (int c = 0; c < col_frags; c++) {
      if (c % slices == 0) load_v_slices(c + slices);
      uint32_t p_regs[row_frags][4];
#pragma unroll
      for (int r = 0; r < row_frags; r++) {
        for (int i = 0; i < 4; i++) {
          const int half = i % 2;
          const float* s = &s_regs[r][c * 2 + i / 2][half * 2];
          const float p0 = exp2_approx(fmaf(s[0], softmax_scale_log2, -row_max[r][half]));
          const float p1 = exp2_approx(fmaf(s[1], softmax_scale_log2, -row_max[r][half]));
          row_sum[r][half] += p0;
          row_sum[r][half] += p1;
          p_regs[r][i] = pack2<T>(p0, p1);
        }
      }
#pragma unroll
      for (int r = 0; r < row_frags; r++) {
#pragma unroll
        for (int n = 0; n < dim_frags * 2; n++) {
          mma_m16n8k16<T>(o_regs[r][n], p_regs[r], v_regs[c % held][n / 2][n % 2 * 2],
                          v_regs[c % held][n / 2][n % 2 * 2 + 1], o_regs[r][n]);
        }
      }
    }
  }

  const int o_row = warp_row + lane / 4;  // the upper row of each fragment that this lane holds
  // O = O / row sum, through shared memory: a lane holds 4 bytes here and 4 bytes there, but stores 16 at once. Each
  // warp writes and reads its own rows, and no other warp read them as Q: nobody has to wait for anybody.
#pragma unroll
  for (int r = 0; r < row_frags; r++) {
    for (int half = 0; half < 2; half++) {
      const float sum = sum_of_quad(row_sum[r][half]);
      const int row = o_row + r * 16 + half * 8;
#pragma unroll
      for (int n = 0; n < dim_frags * 2; n++) {
        const uint32_t pair = pack2<T>(o_regs[r][n][half * 2] / sum, o_regs[r][n][half * 2 + 1] / sum);
        st_shared_4(o_smem + smem_offset(row, n) + lane % 4 * 4, pair);
      }
    }
  }
  warp_barrier();  // a lane stores what other lanes of its warp computed

#pragma unroll
  for (int r = 0; r < warp_rows; r += 2) {
    const int row = warp_row + r + lane / row_chunks;
    const int chunk = lane % row_chunks;
    st_global_16(o + tile_offset + row * row_stride + chunk * chunk_elems,
                 ld_shared_16(o_smem + smem_offset(row, chunk)));
  }
}

const TileShape tile{.config = "64x64",
                     .tile_rows = tile_rows,
                     .tile_cols = tile_cols,
                     .threads = warps * 32,
                     .smem_bytes = (tile_rows + 2 * tile_cols) * row_bytes};

const Registration registration(__FILE__, "the softmax scale is folded into the exponent",
                                {variant<attention<fp16_t>>(tile), variant<attention<bf16_t>>(tile)});

}  // namespace
}  // namespace flash_steps
