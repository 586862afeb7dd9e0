// 17_lazy_rescale: what was summed up so far is scaled down only when a maximum has grown a lot.
//
// Changed since 16_static_stride: O and the row sum may be up to 2^threshold times too large. While no row of a warp
// grows by more, the warp keeps its maxima and skips the multiplications; the division at the end sets all right. With
// a threshold of 0 each bit of O is as before.
//
// What to look at: VOTE, and how many of the votes are won with each distribution of inputs.

#include "harness/contract/kernel.h"
#include "isa.cuh"

namespace flash_steps {
namespace {

struct Config {
  int tile_rows;   // query rows of a CTA
  int tile_cols;   // key and value rows of one iteration
  int q_slices;    // k-slices of Q that are loaded at a time, as many as of K; 0: all of Q stays in registers
  int k_slices;    // k-slices of K that are loaded at a time; 0: all
  int v_slices;    // k-slices of V that are loaded at a time; 0: all
  bool ahead;      // loads run one such group ahead of the products
  int copy_slice;  // the k-slice of P·V before which the copy of the next K starts
  int heads;       // fixes the row stride
  int threshold;   // that a row's maximum must grow by before the warp rescales, in log2 units
};

constexpr int head_dim = 128;
constexpr int warps = 4;

// More CTAs on an SM hide each other's waits, but leave fewer registers to a thread: 168 of three, 255 of two.
constexpr int ctas_per_sm(int tile_rows) { return tile_rows == 64 ? 3 : 2; }

constexpr int element_bytes = 2;
constexpr int chunk_elems = 8;  // a chunk is what one lane copies: 16 bytes
constexpr int chunk_bytes = chunk_elems * element_bytes;
constexpr int row_chunks = head_dim / chunk_elems;
constexpr int half_chunks = row_chunks / 2;  // a tile is two halves, each 64 columns wide
constexpr int half_row_bytes = half_chunks * chunk_bytes;

// The tensor core multiplies 16×16 by 16×8; two of the latter are what one ldmatrix.x4 loads.
constexpr int dim_frags = head_dim / 16;  // of Q, K, V and O, along head_dim: the k-slices of Q·Kᵀ

// exp(x) = exp2(x·log2(e)), and exp2 is one instruction.
constexpr float softmax_scale_log2 = 0.08838834764831845f * 1.4426950408889634f;  // 1/√head_dim · log2(e)

// Where a chunk lies in a tile in shared memory, in bytes.
template <int rows>
__device__ __forceinline__ uint32_t smem_offset(int row, int chunk) {
  return (chunk / half_chunks * rows + row) * half_row_bytes + (chunk % half_chunks ^ row % 8) * chunk_bytes;
}

// Starts to copy rows of a matrix in global memory to a tile in shared memory. Eight neighbouring threads copy half a
// row: whole sectors of global memory, and all banks of shared memory. The addresses are of this thread's first chunk.
template <int rows, typename T>
__device__ __forceinline__ void copy_tile_async(uint32_t thread_smem, const T* thread_gmem, int64_t row_stride) {
  constexpr int rows_at_once = warps * 32 / half_chunks;
#pragma unroll
  for (int r = 0; r < rows; r += rows_at_once) {
    const T* from_gmem = thread_gmem + r * row_stride;
    cp_async_16_prefetch_128(thread_smem + r * half_row_bytes, from_gmem);
    cp_async_16_prefetch_128(thread_smem + (rows + r) * half_row_bytes, from_gmem + head_dim / 2);
  }
}

// Where a chunk lies that is `row` rows (a multiple of 8) and `dim_frag` fragments of two chunks away from another.
template <int rows>
__device__ __forceinline__ uint32_t smem_step(uint32_t from_smem, int row, int dim_frag) {
  return (from_smem ^ dim_frag % 4 * 2 * chunk_bytes) + (dim_frag / 4 * rows + row) * half_row_bytes;
}

// Loads fragments of 16 rows and 16 columns, one below the other. lane_smem is what this lane points at in the first.
template <int rows, int count>
__device__ __forceinline__ void load_fragments(uint32_t (&regs)[count][4], uint32_t lane_smem, int dim_frag) {
#pragma unroll
  for (int i = 0; i < count; i++) ldmatrix_x4(regs[i], smem_step<rows>(lane_smem, i * 16, dim_frag));
}

// The same side by side and transposed: V is the right operand of P·V, which the tensor core wants column by column.
template <int rows, int count>
__device__ __forceinline__ void load_fragments_trans(uint32_t (&regs)[count][4], uint32_t lane_smem, int row) {
#pragma unroll
  for (int i = 0; i < count; i++) ldmatrix_x4_trans(regs[i], smem_step<rows>(lane_smem, row, i));
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

template <typename T, int tile_rows, int tile_cols, int q_slices, int k_slices, int v_slices, bool ahead,
          int copy_slice, int static_heads, int threshold>
__global__ void __launch_bounds__(warps * 32, ctas_per_sm(tile_rows))
    attention(const T* __restrict__ q,  // [batch, seqlen, heads, head_dim]
              const T* __restrict__ k,  // [batch, seqlen, heads, head_dim]
              const T* __restrict__ v,  // [batch, seqlen, heads, head_dim]
              T* __restrict__ o,        // [batch, seqlen, heads, head_dim]
              int seqlen, int /*heads*/) {
  constexpr int warp_rows = tile_rows / warps;
  constexpr int row_frags = warp_rows / 16;  // of Q, S, P and O, along the query rows
  constexpr int col_frags = tile_cols / 16;  // of K, V, S and P, along the keys: the k-slices of P·V
  constexpr int k_step = k_slices ? k_slices : dim_frags;
  constexpr int v_step = v_slices ? v_slices : col_frags;
  constexpr int k_held = ahead ? 2 * k_step : k_step;
  constexpr int v_held = ahead ? 2 * v_step : v_step;
  constexpr int q_held = q_slices ? k_held : dim_frags;

  const int lane = threadIdx.x % 32;
  const int warp_row = threadIdx.x / 32 * warp_rows;  // first row of this warp in the query tile

  constexpr int64_t row_stride = static_heads * head_dim;  // in elements
  const int64_t head_offset = int64_t{blockIdx.z} * seqlen * row_stride + blockIdx.y * head_dim;
  const int64_t tile_offset = head_offset + int64_t{blockIdx.x} * tile_rows * row_stride;
  const int copy_row = threadIdx.x / half_chunks;
  const int copy_chunk = threadIdx.x % half_chunks;
  const int64_t copy_offset = copy_row * row_stride + copy_chunk * chunk_elems;
  const T* k_gmem = k + head_offset + copy_offset;  // this thread's part of the first K tile
  const T* v_gmem = v + head_offset + copy_offset;
  constexpr int64_t block_stride = tile_cols * row_stride;

  const uint32_t q_smem = shared_base();
  const uint32_t k_smem = q_smem + tile_rows * head_dim * element_bytes;
  const uint32_t v_smem = k_smem + tile_cols * head_dim * element_bytes;
  const uint32_t copy_smem = smem_offset<tile_cols>(copy_row, copy_chunk);  // in the left half: fits every tile

  // Lanes 0 to 15 point at the rows of the left half of a fragment, lanes 16 to 31 at those of its right half. For K
  // lanes 0 to 7 and 8 to 15 point at the halves of the upper eight rows: they become one right operand.
  const uint32_t q_lane = q_smem + smem_offset<tile_rows>(warp_row + lane % 16, lane / 16);
  const uint32_t k_lane = k_smem + smem_offset<tile_cols>(lane / 16 * 8 + lane % 8, lane / 8 % 2);
  const uint32_t v_lane = v_smem + smem_offset<tile_cols>(lane % 16, lane / 16);
  const uint32_t o_smem = q_smem;  // Q has been read for the last time when O needs a place

  copy_tile_async<tile_rows>(q_smem + copy_smem, q + tile_offset + copy_offset, row_stride);
  cp_async_commit();
  const int last_block = seqlen / tile_cols - 1;
  copy_tile_async<tile_cols>(k_smem + copy_smem, k_gmem + last_block * block_stride, row_stride);
  cp_async_commit();

  uint32_t q_regs[q_held][row_frags][4];
  if (q_slices == 0) {
    cp_async_wait<1>();  // Q is here; K may take its time
    barrier();           // a warp reads Q rows that other warps copied
#pragma unroll
    for (int d = 0; d < dim_frags; d++) load_fragments<tile_rows>(q_regs[d], q_lane, d);
  }

  // A lane holds two rows of each fragment: lane / 4 and lane / 4 + 8.
  float row_max[row_frags][2];       // times softmax_scale_log2
  float row_sum[row_frags][2] = {};  // of this lane's columns; summed over the quad at the end
  float o_regs[row_frags][dim_frags * 2][4] = {};

  const auto attend = [&](auto is_first, int kv_block) {
    cp_async_wait<0>();
    barrier();  // Q and K are here for all warps, and all warps are done with the last V
    copy_tile_async<tile_cols>(v_smem + copy_smem, v_gmem + kv_block * block_stride, row_stride);
    cp_async_commit();

    // S = Q·Kᵀ
    uint32_t k_regs[k_held][col_frags][4];
    float s_regs[row_frags][col_frags * 2][4] = {};
    const auto load_qk_slices = [&](int first) {
#pragma unroll
      for (int d = first; d < first + k_step && d < dim_frags; d++) {
        if (q_slices) load_fragments<tile_rows>(q_regs[d % q_held], q_lane, d);
        load_fragments<tile_cols>(k_regs[d % k_held], k_lane, d);
      }
    };
    if (ahead) load_qk_slices(0);
#pragma unroll
    for (int d = 0; d < dim_frags; d++) {
      if (d % k_step == 0) load_qk_slices(ahead ? d + k_step : d);
#pragma unroll
      for (int n = 0; n < col_frags * 2; n++) {
#pragma unroll
        for (int r = 0; r < row_frags; r++) {
          mma_m16n8k16<T>(s_regs[r][n], q_regs[d % q_held][r], k_regs[d % k_held][n / 2][n % 2 * 2],
                          k_regs[d % k_held][n / 2][n % 2 * 2 + 1], s_regs[r][n]);
        }
      }
    }

    cp_async_wait<0>();
    barrier();  // V is here for all warps, and all warps are done with K

    // Online softmax: with a new maximum, what was summed up so far shrinks by exp2(old maximum − new maximum). A
    // maximum that lags behind is as good as long as exp2(S − maximum) fits into 16 bits.
    float new_max[row_frags][2];
    bool grew = is_first;
#pragma unroll
    for (int r = 0; r < row_frags; r++) {
      for (int half = 0; half < 2; half++) {
        float block_max = fmaxf(s_regs[r][0][half * 2], s_regs[r][0][half * 2 + 1]);
#pragma unroll
        for (int n = 1; n < col_frags * 2; n++) {
          block_max = fmaxf(block_max, fmaxf(s_regs[r][n][half * 2], s_regs[r][n][half * 2 + 1]));
        }
        block_max = max_of_quad(block_max);
        if constexpr (!is_first) grew |= fmaf(block_max, softmax_scale_log2, -row_max[r][half]) > threshold;
        new_max[r][half] = block_max;
      }
    }
    if (is_first || any_of_warp(grew)) {
#pragma unroll
      for (int r = 0; r < row_frags; r++) {
        for (int half = 0; half < 2; half++) {
          new_max[r][half] = new_max[r][half] * softmax_scale_log2;
          if constexpr (!is_first) {
            new_max[r][half] = fmaxf(row_max[r][half], new_max[r][half]);
            const float shrink = exp2_approx(row_max[r][half] - new_max[r][half]);
            row_sum[r][half] *= shrink;
#pragma unroll
            for (int n = 0; n < dim_frags * 2; n++) {
              o_regs[r][n][half * 2] *= shrink;
              o_regs[r][n][half * 2 + 1] *= shrink;
            }
          }
          row_max[r][half] = new_max[r][half];
        }
      }
    }

    // O += P·V with P = exp2(S − maximum). Two accumulators of S, eight columns each, are one left operand of sixteen.
    uint32_t v_regs[v_held][dim_frags][4];
    const auto load_v_slices = [&](int first) {
#pragma unroll
      for (int c = first; c < first + v_step && c < col_frags; c++) {
        load_fragments_trans<tile_cols>(v_regs[c % v_held], v_lane, c * 16);
      }
    };
    if (ahead) load_v_slices(0);
#pragma unroll
    for (int c = 0; c < col_frags; c++) {
      if (c == copy_slice && kv_block > 0) {
        copy_tile_async<tile_cols>(k_smem + copy_smem, k_gmem + (kv_block - 1) * block_stride, row_stride);
        cp_async_commit();
      }
      if (c % v_step == 0) load_v_slices(ahead ? c + v_step : c);
      uint32_t p_regs[row_frags][4];
#pragma unroll
      for (int r = 0; r < row_frags; r++) {
        for (int i = 0; i < 4; i++) {
          const int half = i % 2;
          const float* s = &s_regs[r][c * 2 + i / 2][half * 2];
          const float p0 = exp2_approx(fmaf(s[0], softmax_scale_log2, -row_max[r][half]));
          const float p1 = exp2_approx(fmaf(s[1], softmax_scale_log2, -row_max[r][half]));
          row_sum[r][half] += p0 + p1;
          p_regs[r][i] = pack2<T>(p0, p1);
        }
      }
#pragma unroll
      for (int n = 0; n < dim_frags * 2; n++) {
#pragma unroll
        for (int m = 0; m < row_frags; m++) {
          const int r = n % 2 ? row_frags - 1 - m : m;
          mma_m16n8k16<T>(o_regs[r][n], p_regs[r], v_regs[c % v_held][n / 2][n % 2 * 2],
                          v_regs[c % v_held][n / 2][n % 2 * 2 + 1], o_regs[r][n]);
        }
      }
    }
  };
  attend(std::true_type{}, last_block);
  for (int kv_block = last_block - 1; kv_block >= 0; kv_block--) attend(std::false_type{}, kv_block);

  const uint32_t o_lane = o_smem + smem_offset<tile_rows>(warp_row + lane / 4, 0) + lane % 4 * 4;  // where its O goes
  // O = O / row sum, through shared memory: a lane holds 4 bytes here and 4 bytes there, but stores 16 at once. Each
  // warp writes and reads its own rows, and no other warp read them as Q: nobody has to wait for anybody.
#pragma unroll
  for (int r = 0; r < row_frags; r++) {
    for (int half = 0; half < 2; half++) {
      const float scale = 1.0f / sum_of_quad(row_sum[r][half]);
#pragma unroll
      for (int n = 0; n < dim_frags * 2; n++) {
        const uint32_t pair = pack2<T>(o_regs[r][n][half * 2] * scale, o_regs[r][n][half * 2 + 1] * scale);
        st_shared_4(smem_step<tile_rows>(o_lane ^ n % 2 * chunk_bytes, r * 16 + half * 8, n / 2), pair);
      }
    }
  }
  warp_barrier();  // a lane stores what other lanes of its warp computed

#pragma unroll
  for (int r = 0; r < warp_rows; r += 2) {
    const int row = warp_row + r + lane / row_chunks;
    const int chunk = lane % row_chunks;
    st_global_16_no_allocate(o + tile_offset + row * row_stride + chunk * chunk_elems,
                             ld_shared_16(o_smem + smem_offset<tile_rows>(row, chunk)));
  }
}

TileShape tile_of(Config c) {
  return {.config = text(c.tile_rows, "x", c.tile_cols, "_q", c.q_slices, "k", c.k_slices, "v", c.v_slices, "c",
                         c.copy_slice, c.ahead ? "_ahead" : "", "_h", c.heads, "_t", c.threshold),
          .tile_rows = c.tile_rows,
          .tile_cols = c.tile_cols,
          .threads = warps * 32,
          .smem_bytes = (c.tile_rows + 2 * c.tile_cols) * head_dim * element_bytes,
          .heads = c.heads};
}

const Registration registration(
    __FILE__, "O is rescaled only when a maximum grew a lot",
    variants<Config{128, 64, 2, 2, 1, false, 1, 16, 8}, Config{128, 64, 2, 2, 2, false, 1, 16, 8},
             Config{128, 64, 2, 2, 2, false, 2, 16, 8}, Config{128, 32, 2, 2, 2, false, 1, 16, 8},
             Config{64, 64, 0, 2, 2, false, 0, 16, 8}, Config{128, 64, 2, 2, 2, false, 1, 1, 8},
             Config{128, 64, 2, 2, 2, false, 1, 32, 8}, Config{128, 64, 2, 2, 2, false, 1, 16, 0},
             Config{128, 64, 2, 2, 2, false, 1, 1, 0}>([]<typename T, Config c>() {
      return variant<attention<T, c.tile_rows, c.tile_cols, c.q_slices, c.k_slices, c.v_slices, c.ahead, c.copy_slice,
                               c.heads, c.threshold>>(tile_of(c));
    }));

}  // namespace
}  // namespace flash_steps
