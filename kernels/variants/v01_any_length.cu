// v01_any_length: any number of queries and of keys.
//
// Changed since 16_static_stride: the last tiles may have fewer rows than others. For the rows that are not there zeros
// are copied, their keys are masked in S, and their queries' O is not stored. Only the block that is attended to first,
// the last of the keys, knows of all this. Tensors and sizes come in one struct, the number of heads among them again.
// What 16's best configs have in common is fixed: two k-slices at a time, no loads that run ahead. Loops that nvcc
// unrolls unasked are without a pragma.
//
// What to look at: the instructions in front of the main loop, and that those in it are the same.

#include "harness/contract/kernel.h"
#include "isa.cuh"

namespace flash_steps {
namespace {

struct Config {
  int tile_rows;  // query rows of a CTA
  int tile_cols;  // key and value rows of one iteration
};

template <typename T>
struct Arguments {
  const T* q;  // [batch, seqlen, heads, head_dim]
  const T* k;  // [batch, seqlen_kv, heads, head_dim]
  const T* v;  // [batch, seqlen_kv, heads, head_dim]
  T* o;        // [batch, seqlen, heads, head_dim]
  int seqlen, seqlen_kv, heads;
};

constexpr int head_dim = 128;
constexpr int warps = 4;
constexpr int slices = 2;      // k-slices of Q, K and V that are loaded at a time
constexpr int copy_slice = 1;  // the k-slice of P·V before which the copy of the next K starts
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
// row: whole sectors of global memory, and all banks of shared memory. The addresses are of this thread's first chunk,
// and rows_left counts from its row: where not all of the tile's rows are there, the others become zeros.
template <int rows, bool all_there, typename T>
__device__ __forceinline__ void copy_tile_async(uint32_t thread_smem, const T* thread_gmem, int64_t row_stride,
                                                int rows_left) {
  constexpr int rows_at_once = warps * 32 / half_chunks;
  for (int r = 0; r < rows; r += rows_at_once) {
    const T* from_gmem = thread_gmem + r * row_stride;
    if constexpr (all_there) {
      cp_async_16_prefetch_128(thread_smem + r * half_row_bytes, from_gmem);
      cp_async_16_prefetch_128(thread_smem + (rows + r) * half_row_bytes, from_gmem + head_dim / 2);
    } else {
      cp_async_16_or_zeros(thread_smem + r * half_row_bytes, from_gmem, r < rows_left);
      cp_async_16_or_zeros(thread_smem + (rows + r) * half_row_bytes, from_gmem + head_dim / 2, r < rows_left);
    }
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
  for (int i = 0; i < count; i++) ldmatrix_x4(regs[i], smem_step<rows>(lane_smem, i * 16, dim_frag));
}

// The same side by side and transposed: V is the right operand of P·V, which the tensor core wants column by column.
template <int rows, int count>
__device__ __forceinline__ void load_fragments_trans(uint32_t (&regs)[count][4], uint32_t lane_smem, int row) {
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

template <typename T, int tile_rows, int tile_cols>
__global__ void __launch_bounds__(warps * 32, ctas_per_sm(tile_rows)) attention(const Arguments<T> a) {
  constexpr int warp_rows = tile_rows / warps;
  constexpr int row_frags = warp_rows / 16;  // of Q, S, P and O, along the query rows
  constexpr int col_frags = tile_cols / 16;  // of K, V, S and P, along the keys: the k-slices of P·V

  const int lane = threadIdx.x % 32;
  const int warp_row = threadIdx.x / 32 * warp_rows;  // first row of this warp in the query tile

  const int64_t row_stride = int64_t{a.heads} * head_dim;  // in elements
  const int64_t head_offset = int64_t{blockIdx.z} * a.seqlen * row_stride + blockIdx.y * head_dim;
  const int64_t kv_head_offset = int64_t{blockIdx.z} * a.seqlen_kv * row_stride + blockIdx.y * head_dim;
  const int first_row = blockIdx.x * tile_rows;
  const int64_t tile_offset = head_offset + first_row * row_stride;
  const int copy_row = threadIdx.x / half_chunks;
  const int copy_chunk = threadIdx.x % half_chunks;
  const int64_t copy_offset = copy_row * row_stride + copy_chunk * chunk_elems;
  const T* k_gmem = a.k + kv_head_offset + copy_offset;  // this thread's part of the first K tile
  const T* v_gmem = a.v + kv_head_offset + copy_offset;
  const int64_t block_stride = tile_cols * row_stride;

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

  copy_tile_async<tile_rows, false>(q_smem + copy_smem, a.q + tile_offset + copy_offset, row_stride,
                                    a.seqlen - first_row - copy_row);
  cp_async_commit();
  const int last_block = (a.seqlen_kv - 1) / tile_cols;
  const int cols_left = a.seqlen_kv - last_block * tile_cols;  // in the last block
  copy_tile_async<tile_cols, false>(k_smem + copy_smem, k_gmem + last_block * block_stride, row_stride,
                                    cols_left - copy_row);
  cp_async_commit();

  // A lane holds two rows of each fragment: lane / 4 and lane / 4 + 8.
  float row_max[row_frags][2];       // times softmax_scale_log2
  float row_sum[row_frags][2] = {};  // of this lane's columns; summed over the quad at the end
  float o_regs[row_frags][dim_frags * 2][4] = {};

  const auto attend = [&](auto is_first, int kv_block) {
    cp_async_wait<0>();
    barrier();  // Q and K are here for all warps, and all warps are done with the last V
    copy_tile_async<tile_cols, !is_first>(v_smem + copy_smem, v_gmem + kv_block * block_stride, row_stride,
                                          cols_left - copy_row);
    cp_async_commit();

    // S = Q·Kᵀ
    uint32_t q_regs[slices][row_frags][4];
    uint32_t k_regs[slices][col_frags][4];
    float s_regs[row_frags][col_frags * 2][4] = {};
#pragma unroll
    for (int d = 0; d < dim_frags; d++) {
      for (int next = d; d % slices == 0 && next < d + slices && next < dim_frags; next++) {
        load_fragments<tile_rows>(q_regs[next % slices], q_lane, next);
        load_fragments<tile_cols>(k_regs[next % slices], k_lane, next);
      }
      for (int n = 0; n < col_frags * 2; n++) {
        for (int r = 0; r < row_frags; r++) {
          mma_m16n8k16<T>(s_regs[r][n], q_regs[d % slices][r], k_regs[d % slices][n / 2][n % 2 * 2],
                          k_regs[d % slices][n / 2][n % 2 * 2 + 1], s_regs[r][n]);
        }
      }
    }

    // Keys that are not there get no weight. A lane holds two columns of each eight.
    if constexpr (is_first) {
      for (int n = 0; n < col_frags * 2; n++) {
        for (int i = 0; i < 4; i++) {
          for (int r = 0; r < row_frags; r++) {
            if (n * 8 + lane % 4 * 2 + i % 2 >= cols_left) s_regs[r][n][i] = -INFINITY;
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
        for (int n = 1; n < col_frags * 2; n++) {
          block_max = fmaxf(block_max, fmaxf(s_regs[r][n][half * 2], s_regs[r][n][half * 2 + 1]));
        }
        float new_max = max_of_quad(block_max) * softmax_scale_log2;
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
        copy_tile_async<tile_cols, true>(k_smem + copy_smem, k_gmem + (kv_block - 1) * block_stride, row_stride, 0);
        cp_async_commit();
      }
      for (int next = c; c % slices == 0 && next < c + slices && next < col_frags; next++) {
        load_fragments_trans<tile_cols>(v_regs[next % slices], v_lane, next * 16);
      }
      uint32_t p_regs[row_frags][4];
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
      for (int n = 0; n < dim_frags * 2; n++) {
        for (int m = 0; m < row_frags; m++) {
          const int r = n % 2 ? row_frags - 1 - m : m;
          mma_m16n8k16<T>(o_regs[r][n], p_regs[r], v_regs[c % slices][n / 2][n % 2 * 2],
                          v_regs[c % slices][n / 2][n % 2 * 2 + 1], o_regs[r][n]);
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
      for (int n = 0; n < dim_frags * 2; n++) {
        const uint32_t pair = pack2<T>(o_regs[r][n][half * 2] * scale, o_regs[r][n][half * 2 + 1] * scale);
        st_shared_4(smem_step<tile_rows>(o_lane ^ n % 2 * chunk_bytes, r * 16 + half * 8, n / 2), pair);
      }
    }
  }
  warp_barrier();  // a lane stores what other lanes of its warp computed

  for (int r = 0; r < warp_rows; r += 2) {
    const int row = warp_row + r + lane / row_chunks;
    const int chunk = lane % row_chunks;
    st_global_16_no_allocate_if(first_row + row < a.seqlen, a.o + tile_offset + row * row_stride + chunk * chunk_elems,
                                ld_shared_16(o_smem + smem_offset<tile_rows>(row, chunk)));
  }
}

TileShape tile_of(Config c) {
  return {text(c.tile_rows, "x", c.tile_cols), c.tile_rows, c.tile_cols, warps * 32,
          (c.tile_rows + 2 * c.tile_cols) * head_dim * element_bytes};
}

const Coverage coverage{.any_length = true, .unequal_lengths = true};

template <typename T, Config c>
std::vector<Launch> plan(const Problem& problem, const Tensors& tensors) {
  const auto read = [](const void* tensor) { return static_cast<const T*>(tensor); };
  const Arguments<T> args{read(tensors.q), read(tensors.k), read(tensors.v), static_cast<T*>(tensors.o),
                          problem.seqlen,  problem.keys(),  problem.heads};
  const Grid grid{(problem.seqlen + c.tile_rows - 1) / c.tile_rows, problem.heads, problem.batch};
  return {launch<attention<T, c.tile_rows, c.tile_cols>>(grid, warps * 32, tile_of(c).smem_bytes, args)};
}

const Registration registration(__FILE__, "any number of queries and keys",
                                variants<Config{128, 64}, Config{128, 32}, Config{64, 64}>([]<typename T, Config c>() {
                                  return Variant{.tile = tile_of(c),
                                                 .dtype = dtype_of<T>(),
                                                 .coverage = coverage,
                                                 .plan = plan<T, c>};
                                }));

}  // namespace
}  // namespace flash_steps
