// v06_logsumexp: also the logarithms of the row sums.
//
// Changed since v05_grouped_query: L = ln Σ exp(S) of each row is stored, from which a backward pass computes P without
// a maximum and a sum. The row maximum and the sum are in powers of 2, and L is natural. A row that sees no key has +∞,
// so that every weight computed from it is exp(S − ∞) = 0.
//
// What to look at: 4 bytes a row beside head_dim · 2, and the one logarithm.

#include "harness/contract/kernel.h"
#include "isa.cuh"

namespace flash_steps {
namespace {

struct Config {
  int head_dim;
  int tile_rows;  // query rows of a CTA
  int tile_cols;  // key and value rows of one iteration
};

template <typename T>
struct Arguments {
  const T* q;            // [queries of all sequences, heads, head_dim]
  const T* k;            // [keys of all sequences, heads / group, head_dim]
  const T* v;            // [keys of all sequences, heads / group, head_dim]
  T* o;                  // [queries of all sequences, heads, head_dim]
  float* lse;            // of each sequence [heads, its queries]
  const int* starts;     // [batch + 1]: the first query of each sequence, and how many there are
  const int* kv_starts;  // [batch + 1]: the same of keys
  int heads, group;      // so many heads of queries share a head of keys
  bool causal;
  float softmax_scale_log2;  // 1/√head_dim · log2(e): exp(x) = exp2(x·log2(e)), and exp2 is one instruction
};

constexpr int warps = 4;
constexpr int slices = 2;      // k-slices of Q, K and V that are loaded at a time
constexpr int copy_slice = 1;  // the k-slice of P·V before which the copy of the next K starts
// More CTAs on an SM hide each other's waits, but leave fewer registers to a thread: 168 of three, 255 of two.
constexpr int ctas_per_sm(int head_dim, int tile_rows) { return tile_rows == 64 && head_dim <= 128 ? 3 : 2; }

constexpr int element_bytes = 2;
constexpr int chunk_elems = 8;  // a chunk is what one lane copies: 16 bytes
constexpr int chunk_bytes = chunk_elems * element_bytes;
// A tile is cut into panels of as many columns as divide head_dim, at most 64: 8, 4 or 2 chunks.
constexpr int panel_chunks(int head_dim) { return head_dim % 64 == 0 ? 8 : head_dim % 32 == 0 ? 4 : 2; }
constexpr float ln_2 = 0.6931471805599453f;
constexpr float lowest_max = -1e30f;  // of a row that sees none of a block's keys: −∞ minus −∞ would not be 0

// Where a chunk lies in a tile in shared memory, in bytes. Eight chunks that are read or written at once are of eight
// rows, or lie side by side: 8 / chunks rows are 128 bytes, and the next as many are permuted in another way.
template <int rows, int chunks>
__device__ __forceinline__ uint32_t smem_offset(int row, int chunk) {
  const int place = chunk % chunks ^ row / (8 / chunks) % chunks;
  return ((chunk / chunks * rows + row) * chunks + place) * chunk_bytes;
}

// Starts to copy rows of a matrix in global memory to a tile in shared memory. Neighbouring threads copy a panel's row:
// whole sectors of global memory, and all banks of shared memory. The addresses are of this thread's first chunk, and
// rows_left counts from its row: where not all of the tile's rows are there, the others become zeros.
template <int rows, int head_dim, bool all_there, typename T>
__device__ __forceinline__ void copy_tile_async(uint32_t thread_smem, const T* thread_gmem, int64_t row_stride,
                                                int rows_left) {
  constexpr int chunks = panel_chunks(head_dim);
  constexpr int rows_at_once = warps * 32 / chunks;
  for (int r = 0; r < rows; r += rows_at_once) {
    for (int dim = 0; dim < head_dim; dim += chunks * chunk_elems) {
      const uint32_t to_smem = thread_smem + (dim * rows + r * chunks * chunk_elems) * element_bytes;
      const T* from_gmem = thread_gmem + r * row_stride + dim;
      if constexpr (all_there) {
        cp_async_16_prefetch_128(to_smem, from_gmem);
      } else {
        cp_async_16_or_zeros(to_smem, from_gmem, r < rows_left);
      }
    }
  }
}

// Where a chunk lies that is `row` rows (a multiple of 8) and `dim_frag` fragments of two chunks away from another.
template <int rows, int chunks>
__device__ __forceinline__ uint32_t smem_step(uint32_t from_smem, int row, int dim_frag) {
  constexpr int frags = chunks / 2;
  return (from_smem ^ dim_frag % frags * 2 * chunk_bytes) + (dim_frag / frags * rows + row) * chunks * chunk_bytes;
}

// Loads fragments of 16 rows and 16 columns, one below the other. lane_smem is what this lane points at in the first.
template <int rows, int chunks, int count>
__device__ __forceinline__ void load_fragments(uint32_t (&regs)[count][4], uint32_t lane_smem, int dim_frag) {
  for (int i = 0; i < count; i++) ldmatrix_x4(regs[i], smem_step<rows, chunks>(lane_smem, i * 16, dim_frag));
}

// The same side by side and transposed: V is the right operand of P·V, which the tensor core wants column by column.
template <int rows, int chunks, int count>
__device__ __forceinline__ void load_fragments_trans(uint32_t (&regs)[count][4], uint32_t lane_smem, int row) {
  for (int i = 0; i < count; i++) ldmatrix_x4_trans(regs[i], smem_step<rows, chunks>(lane_smem, row, i));
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

template <typename T, int head_dim, int tile_rows, int tile_cols>
__global__ void __launch_bounds__(warps * 32, ctas_per_sm(head_dim, tile_rows)) attention(const Arguments<T> a) {
  constexpr int chunks = panel_chunks(head_dim);
  constexpr int dim_frags = head_dim / 16;  // of Q, K, V and O, along head_dim: the k-slices of Q·Kᵀ
  constexpr int warp_rows = tile_rows / warps;
  constexpr int row_frags = warp_rows / 16;  // of Q, S, P and O, along the query rows
  constexpr int col_frags = tile_cols / 16;  // of K, V, S and P, along the keys: the k-slices of P·V

  const int lane = threadIdx.x % 32;
  const int warp_row = threadIdx.x / 32 * warp_rows;  // first row of this warp in the query tile

  const auto load_int = [](const int* from_gmem) { return static_cast<int>(ld_global_4(from_gmem)); };
  const int start = load_int(a.starts + blockIdx.z), kv_start = load_int(a.kv_starts + blockIdx.z);
  const int seqlen = load_int(a.starts + blockIdx.z + 1) - start;
  const int seqlen_kv = load_int(a.kv_starts + blockIdx.z + 1) - kv_start;
  const int first_row = (gridDim.x - 1 - blockIdx.x) * tile_rows;  // the longest rows first
  if (first_row >= seqlen) return;
  const int diagonal = seqlen_kv - (a.causal ? seqlen : 0);  // query i attends to the keys up to i + diagonal

  const int64_t row_stride = int64_t{a.heads} * head_dim;  // in elements
  const int64_t kv_row_stride = int64_t{a.heads / a.group} * head_dim;
  const int64_t tile_offset = (start + first_row) * row_stride + blockIdx.y * head_dim;
  const int copy_row = threadIdx.x / chunks, copy_chunk = threadIdx.x % chunks;
  const int64_t copy_offset = copy_row * row_stride + copy_chunk * chunk_elems;
  const int64_t kv_head_offset = kv_start * kv_row_stride + blockIdx.y / a.group * head_dim;
  const int64_t kv_offset = kv_head_offset + copy_row * kv_row_stride + copy_chunk * chunk_elems;
  const T* k_gmem = a.k + kv_offset;  // this thread's part of the first K tile
  const T* v_gmem = a.v + kv_offset;
  const int64_t block_stride = tile_cols * kv_row_stride;

  const uint32_t q_smem = shared_base();
  const uint32_t k_smem = q_smem + tile_rows * head_dim * element_bytes;
  const uint32_t v_smem = k_smem + tile_cols * head_dim * element_bytes;
  const uint32_t copy_smem = smem_offset<tile_cols, chunks>(copy_row, copy_chunk);  // in panel 0: fits every tile

  // Lanes 0 to 15 point at the rows of the left half of a fragment, lanes 16 to 31 at those of its right half. For K
  // lanes 0 to 7 and 8 to 15 point at the halves of the upper eight rows: they become one right operand.
  const uint32_t q_lane = q_smem + smem_offset<tile_rows, chunks>(warp_row + lane % 16, lane / 16);
  const uint32_t k_lane = k_smem + smem_offset<tile_cols, chunks>(lane / 16 * 8 + lane % 8, lane / 8 % 2);
  const uint32_t v_lane = v_smem + smem_offset<tile_cols, chunks>(lane % 16, lane / 16);
  const uint32_t o_smem = q_smem;  // Q has been read for the last time when O needs a place

  copy_tile_async<tile_rows, head_dim, false>(q_smem + copy_smem, a.q + tile_offset + copy_offset, row_stride,
                                              seqlen - first_row - copy_row);
  cp_async_commit();
  // How many keys a row sees grows from row to row.
  const auto visible_keys = [&](int row) { return std::clamp(row + diagonal + 1, 0, seqlen_kv); };
  const int last_block = std::max(visible_keys(std::min(first_row + tile_rows, seqlen) - 1) - 1, 0) / tile_cols;
  const int full_blocks = visible_keys(first_row) / tile_cols;  // of which all rows see all keys
  const int cols_left = seqlen_kv - last_block * tile_cols;     // in the last block, or more than it has
  copy_tile_async<tile_cols, head_dim, false>(k_smem + copy_smem, k_gmem + last_block * block_stride, kv_row_stride,
                                              cols_left - copy_row);
  cp_async_commit();

  // A lane holds two rows of each fragment: lane / 4 and lane / 4 + 8.
  float row_max[row_frags][2];       // times softmax_scale_log2
  float row_sum[row_frags][2] = {};  // of this lane's columns; summed over the quad at the end
  float o_regs[row_frags][dim_frags * 2][4] = {};

  const auto attend = [&](auto is_first, auto is_masked, int kv_block) {
    cp_async_wait<0>();
    barrier();  // Q and K are here for all warps, and all warps are done with the last V
    copy_tile_async<tile_cols, head_dim, !is_first>(v_smem + copy_smem, v_gmem + kv_block * block_stride, kv_row_stride,
                                                    cols_left - copy_row);
    cp_async_commit();

    // S = Q·Kᵀ
    uint32_t q_regs[slices][row_frags][4];
    uint32_t k_regs[slices][col_frags][4];
    float s_regs[row_frags][col_frags * 2][4] = {};
#pragma unroll
    for (int d = 0; d < dim_frags; d++) {
      for (int next = d; d % slices == 0 && next < d + slices && next < dim_frags; next++) {
        load_fragments<tile_rows, chunks>(q_regs[next % slices], q_lane, next);
        load_fragments<tile_cols, chunks>(k_regs[next % slices], k_lane, next);
      }
      for (int n = 0; n < col_frags * 2; n++) {
        for (int r = 0; r < row_frags; r++) {
          mma_m16n8k16<T>(s_regs[r][n], q_regs[d % slices][r], k_regs[d % slices][n / 2][n % 2 * 2],
                          k_regs[d % slices][n / 2][n % 2 * 2 + 1], s_regs[r][n]);
        }
      }
    }

    // Keys that a row does not see get no weight. A lane holds two columns of each eight.
    if constexpr (is_masked) {
      for (int r = 0; r < row_frags; r++) {
        for (int half = 0; half < 2; half++) {
          const int row = first_row + warp_row + r * 16 + half * 8 + lane / 4;
          const int row_cols = visible_keys(row) - kv_block * tile_cols - lane % 4 * 2;
          for (int n = 0; n < col_frags * 2; n++) {
            for (int i = 0; i < 2; i++) {
              if (n * 8 + i >= row_cols) s_regs[r][n][half * 2 + i] = -INFINITY;
            }
          }
        }
      }
    }

    cp_async_wait<0>();
    barrier();  // V is here for all warps, and all warps are done with K

    // Online softmax: with a new maximum, what was summed up so far shrinks by exp2(old maximum − new maximum).
    for (int r = 0; r < row_frags; r++) {
      for (int half = 0; half < 2; half++) {
        float block_max = fmaxf(s_regs[r][0][half * 2], s_regs[r][0][half * 2 + 1]);
        if constexpr (is_masked) block_max = fmaxf(block_max, lowest_max);
        for (int n = 1; n < col_frags * 2; n++) {
          block_max = fmaxf(block_max, fmaxf(s_regs[r][n][half * 2], s_regs[r][n][half * 2 + 1]));
        }
        float new_max = max_of_quad(block_max) * a.softmax_scale_log2;
        if constexpr (!is_first) {
          new_max = fmaxf(row_max[r][half], new_max);
          const float shrink = exp2_approx(row_max[r][half] - new_max);
          row_sum[r][half] *= shrink;
          for (int n = 0; n < dim_frags * 2; n++) {
            o_regs[r][n][half * 2] *= shrink;
            o_regs[r][n][half * 2 + 1] *= shrink;
          }
        }
        row_max[r][half] = new_max;
      }
    }

    // O += P·V with P = exp2(S − maximum). Two accumulators of S, eight columns each, are one left operand of sixteen.
    uint32_t v_regs[slices][dim_frags][4];
#pragma unroll
    for (int c = 0; c < col_frags; c++) {
      if (c == copy_slice && kv_block > 0) {
        copy_tile_async<tile_cols, head_dim, true>(k_smem + copy_smem, k_gmem + (kv_block - 1) * block_stride,
                                                   kv_row_stride, 0);
        cp_async_commit();
      }
      for (int next = c; c % slices == 0 && next < c + slices && next < col_frags; next++) {
        load_fragments_trans<tile_cols, chunks>(v_regs[next % slices], v_lane, next * 16);
      }
      uint32_t p_regs[row_frags][4];
      for (int r = 0; r < row_frags; r++) {
        for (int i = 0; i < 4; i++) {
          const int half = i % 2;
          const float* s = &s_regs[r][c * 2 + i / 2][half * 2];
          const float p0 = exp2_approx(fmaf(s[0], a.softmax_scale_log2, -row_max[r][half]));
          const float p1 = exp2_approx(fmaf(s[1], a.softmax_scale_log2, -row_max[r][half]));
          row_sum[r][half] += p0 + p1;
          p_regs[r][i] = pack2<T>(p0, p1);
        }
      }
      for (int n = 0; n < dim_frags * 2; n++) {
        for (int m = 0; m < row_frags; m++) {
          const int r = n % 2 ? row_frags - 1 - m : m;
          mma_m16n8k16<T>(o_regs[r][n], p_regs[r], v_regs[c % slices][n / 2][n % 2 * 2],
                          v_regs[c % slices][n / 2][n % 2 * 2 + 1], o_regs[r][n]);
        }
      }
    }
  };
  attend(std::true_type{}, std::true_type{}, last_block);
  int kv_block = last_block - 1;
  for (; kv_block >= full_blocks; kv_block--) attend(std::false_type{}, std::true_type{}, kv_block);
  for (; kv_block >= 0; kv_block--) attend(std::false_type{}, std::false_type{}, kv_block);

  float* const lse_gmem = a.lse + int64_t{start} * a.heads + int64_t{blockIdx.y} * seqlen;
  const uint32_t o_lane = o_smem + smem_offset<tile_rows, chunks>(warp_row + lane / 4, 0) + lane % 4 * 4;
  // O = O / row sum, through shared memory: a lane holds 4 bytes here and 4 bytes there, but stores 16 at once. Each
  // warp writes and reads its own rows, and no other warp read them as Q: nobody has to wait for anybody.
#pragma unroll
  for (int r = 0; r < row_frags; r++) {
    for (int half = 0; half < 2; half++) {
      const float sum = sum_of_quad(row_sum[r][half]);
      const float scale = sum == 0 ? 0 : 1.0f / sum;
      const float lse = sum == 0 ? INFINITY : (row_max[r][half] + std::log2(sum)) * ln_2;
      const int row = first_row + warp_row + r * 16 + half * 8 + lane / 4;
      st_global_4_if(lane % 4 == 0 && row < seqlen, lse_gmem + row, bits_of(lse));
      for (int n = 0; n < dim_frags * 2; n++) {
        const uint32_t pair = pack2<T>(o_regs[r][n][half * 2] * scale, o_regs[r][n][half * 2 + 1] * scale);
        st_shared_4(smem_step<tile_rows, chunks>(o_lane ^ n % 2 * chunk_bytes, r * 16 + half * 8, n / 2), pair);
      }
    }
  }
  warp_barrier();  // a lane stores what other lanes of its warp computed

  for (int r = 0; r < warp_rows; r += 32 / chunks) {
    for (int first_chunk = 0; first_chunk < head_dim / chunk_elems; first_chunk += chunks) {
      const int row = warp_row + r + lane / chunks;
      const int chunk = first_chunk + lane % chunks;
      st_global_16_no_allocate_if(first_row + row < seqlen, a.o + tile_offset + row * row_stride + chunk * chunk_elems,
                                  ld_shared_16(o_smem + smem_offset<tile_rows, chunks>(row, chunk)));
    }
  }
}

TileShape tile_of(Config c) {
  return {text("d", c.head_dim, "_", c.tile_rows, "x", c.tile_cols), c.tile_rows, c.tile_cols, warps * 32,
          (c.tile_rows + 2 * c.tile_cols) * c.head_dim * element_bytes};
}

template <typename T, Config c>
std::vector<Launch> plan(const Problem& problem, const Tensors& tensors) {
  const auto read = [](const void* tensor) { return static_cast<const T*>(tensor); };
  const auto scale = static_cast<float>(1.4426950408889634 / std::sqrt(double(c.head_dim)));
  const Arguments<T> args{read(tensors.q),
                          read(tensors.k),
                          read(tensors.v),
                          static_cast<T*>(tensors.o),
                          tensors.lse,
                          tensors.starts,
                          tensors.kv_starts,
                          problem.heads,
                          problem.heads / problem.key_heads(),
                          problem.mask == Mask::causal,
                          scale};
  const Grid grid{(problem.seqlen + c.tile_rows - 1) / c.tile_rows, problem.heads, problem.batch};
  return {launch<attention<T, c.head_dim, c.tile_rows, c.tile_cols>>(grid, warps * 32, tile_of(c).smem_bytes, args)};
}

const Registration registration(
    __FILE__, "the logarithms of the row sums are stored",
    variants<Config{128, 128, 64}, Config{64, 128, 128}, Config{64, 128, 64}, Config{16, 128, 128},
             Config{32, 128, 128}, Config{96, 128, 64}, Config{256, 64, 64}>([]<typename T, Config c>() {
      return Variant{.tile = tile_of(c),
                     .dtype = dtype_of<T>(),
                     .coverage = {.head_dims = {c.head_dim},
                                  .masks = {Mask::none, Mask::causal},
                                  .any_length = true,
                                  .unequal_lengths = true,
                                  .grouped_heads = true,
                                  .packed = true},
                     .plan = plan<T, c>,
                     .outputs = {Output::o, Output::lse}};
    }));

}  // namespace
}  // namespace flash_steps
