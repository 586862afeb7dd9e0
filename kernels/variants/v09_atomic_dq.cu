// v09_atomic_dq: the gradients in one pass, with dQ added up in memory.
//
// Changed since v08_backward: the CTAs that keep keys compute dQ as well, and each adds its part to sums in fp32, which
// the first launch clears and the last one rounds: five products, as many as there are. Which CTA adds first nobody
// knows: repeats of dK and dV are equal in every bit, those of dQ on a GPU are not. Tiles are larger, so that there is
// less to add; and P and dS go through shared memory, since the products want them both upright and transposed.
//
// What to look at: `./runner --kernel=v09`: the sectors that the second launch adds to.

#include "harness/contract/kernel.h"
#include "isa.cuh"

namespace flash_steps {
namespace {

template <typename T>
struct Arguments {
  const T *q, *o, *d_o;  // [batch, seqlen, heads, head_dim]
  const T *k, *v;        // [batch, seqlen_kv, heads / group, head_dim]
  const float* lse;      // [batch, heads, seqlen]
  T *dq, *dk, *dv;       // of the shapes of q, k and v
  float* workspace;      // [batch, heads, tiles]: of a tile of queries dQ so far, and L · log2(e) and D of each query
  int seqlen, seqlen_kv, heads;
  int group;            // how many heads of queries share a head of keys
  int diagonal;         // query i attends to the keys up to i + diagonal
  float softmax_scale;  // 1/√head_dim
};

constexpr int warps = 8;
constexpr int tile_keys = 128;                                                  // that a CTA keeps
constexpr int tile_queries(int head_dim) { return head_dim == 64 ? 128 : 64; }  // that pass in one iteration

constexpr int element_bytes = 2;
constexpr int chunk_elems = 8;  // a chunk is what one lane copies: 16 bytes
constexpr int chunk_bytes = chunk_elems * element_bytes;
constexpr int chunks = 8;                      // a tile is cut into panels of 64 columns
constexpr int term_bytes = 8;                  // L and D of a query
constexpr float log2_e = 1.4426950408889634f;  // exp(x) = exp2(x·log2(e)), and exp2 is one instruction

constexpr int tiles_of(int rows, int tile_rows) { return (rows + tile_rows - 1) / tile_rows; }
constexpr int tile_bytes(int rows, int cols) { return rows * cols * element_bytes; }
constexpr int workspace_floats(int head_dim) { return tile_queries(head_dim) * (head_dim + 2); }  // of a tile
constexpr int stage_bytes(int head_dim) { return tile_queries(head_dim) * (2 * head_dim * element_bytes + term_bytes); }

// Where a chunk lies in a tile in shared memory, in bytes: eight rows of a panel are permuted in eight ways.
template <int rows>
__device__ __forceinline__ uint32_t smem_offset(int row, int chunk) {
  return ((chunk / chunks * rows + row) * chunks + (chunk ^ row) % chunks) * chunk_bytes;
}

// Where a chunk lies that is `row` rows (a multiple of 8) and `dim_frag` fragments of two chunks away from another.
template <int rows>
__device__ __forceinline__ uint32_t smem_step(uint32_t from_smem, int row, int dim_frag) {
  constexpr int frags = chunks / 2;
  return (from_smem ^ dim_frag % frags * 2 * chunk_bytes) + (dim_frag / frags * rows + row) * chunks * chunk_bytes;
}

// Starts to copy rows of a matrix in global memory to a tile in shared memory. Neighbouring threads copy a panel's row:
// whole sectors of global memory, and all banks of shared memory. Rows beyond rows_left become zeros.
template <int rows, int head_dim, typename T>
__device__ __forceinline__ void copy_tile_async(uint32_t tile_smem, const T* tile_gmem, int64_t row_stride,
                                                int rows_left) {
  const int row = threadIdx.x / chunks;
  const int chunk = threadIdx.x % chunks;
  const uint32_t thread_smem = tile_smem + smem_offset<rows>(row, chunk);
  const T* thread_gmem = tile_gmem + row * row_stride + chunk * chunk_elems;
#pragma unroll
  for (int r = 0; r < rows; r += warps * 32 / chunks) {
#pragma unroll
    for (int dim = 0; dim < head_dim; dim += chunks * chunk_elems) {
      const uint32_t to_smem = thread_smem + (dim * rows + r * chunks * chunk_elems) * element_bytes;
      cp_async_16_or_zeros(to_smem, thread_gmem + r * row_stride + dim, row + r < rows_left);
    }
  }
}

// Of the rows of a product a warp has 32, and of the columns an equal share with the warps that have the same rows.
constexpr int warp_rows = 32, row_frags = warp_rows / 16;
constexpr int warp_cols(int rows, int cols) { return cols / (warps / (rows / warp_rows)); }

__device__ __forceinline__ int warp_row(int rows) { return threadIdx.x / 32 % (rows / warp_rows) * warp_rows; }
__device__ __forceinline__ int warp_col(int rows, int cols) {
  return threadIdx.x / 32 / (rows / warp_rows) * warp_cols(rows, cols);
}

// What a warp holds of a product: two rows of each 16, and two columns of each 8, a lane.
template <int rows, int cols>
using Sums = float[row_frags][warp_cols(rows, cols) / 8][4];

template <bool trans>
__device__ __forceinline__ void load_fragment(uint32_t (&regs)[4], uint32_t lane_smem) {
  trans ? ldmatrix_x4_trans(regs, lane_smem) : ldmatrix_x4(regs, lane_smem);
}

// sums += A·B of tiles in shared memory. The tensor core wants A row by row and B column by column. What lies the other
// way round is transposed as it is loaded: A of which the columns are rows of the tile, and B of which the rows are.
template <typename T, int rows, int cols, int depth, bool a_trans, bool b_trans>
__device__ __forceinline__ void multiply(Sums<rows, cols>& sums, uint32_t a_smem, uint32_t b_smem) {
  constexpr int a_tile_rows = a_trans ? depth : rows;
  constexpr int b_tile_rows = b_trans ? depth : cols;
  const int lane = threadIdx.x % 32;
  const int row = warp_row(rows), col = warp_col(rows, cols);
  // Lanes 0 to 15 point at the left half of a fragment; or lanes 0 to 7 and 8 to 15 at the halves of its upper rows.
  const int half_row = lane % 16, half_chunk = lane / 16;
  const int upper_row = lane / 16 * 8 + lane % 8, upper_chunk = lane / 8 % 2;
  const uint32_t a_lane = a_smem + (a_trans ? smem_offset<a_tile_rows>(upper_row, row / chunk_elems + upper_chunk)
                                            : smem_offset<a_tile_rows>(row + half_row, half_chunk));
  const uint32_t b_lane = b_smem + (b_trans ? smem_offset<b_tile_rows>(half_row, col / chunk_elems + half_chunk)
                                            : smem_offset<b_tile_rows>(col + upper_row, upper_chunk));
#pragma unroll
  for (int d = 0; d < depth / 16; d++) {
    uint32_t a_regs[row_frags][4];
    for (int m = 0; m < row_frags; m++) {
      load_fragment<a_trans>(a_regs[m], smem_step<a_tile_rows>(a_lane, (a_trans ? d : m) * 16, a_trans ? m : d));
    }
#pragma unroll
    for (int n = 0; n < warp_cols(rows, cols) / 16; n++) {
      uint32_t b_regs[4];
      load_fragment<b_trans>(b_regs, smem_step<b_tile_rows>(b_lane, (b_trans ? d : n) * 16, b_trans ? n : d));
      for (int m = 0; m < row_frags; m++) {
        mma_m16n8k16<T>(sums[m][n * 2], a_regs[m], b_regs[0], b_regs[1], sums[m][n * 2]);
        mma_m16n8k16<T>(sums[m][n * 2 + 1], a_regs[m], b_regs[2], b_regs[3], sums[m][n * 2 + 1]);
      }
    }
  }
}

// P = exp(S − L) where S was, and dS = P∘(dP − D) where dP was.
__device__ __forceinline__ void differentiate(float& s, float& dp, float softmax_scale, float lse_log2, float d) {
  s = exp2_approx(fmaf(s, softmax_scale * log2_e, -lse_log2));
  dp = s * (dp - d);
}

// Stores the warp's part of a gradient as it lies in registers. A CTA does so once: no way through shared memory pays.
template <typename T, int count>
__device__ __forceinline__ void store_gradient(T* warp_gmem, int64_t row_stride, int rows_left,
                                               const float (&sums)[row_frags][count][4], float scale) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int m = 0; m < row_frags; m++) {
    for (int half = 0; half < 2; half++) {
      const int row = m * 16 + half * 8 + lane / 4;
      for (int n = 0; n < count; n++) {
        st_global_4_if(row < rows_left, warp_gmem + row * row_stride + n * 8 + lane % 4 * 2,
                       pack2<T>(sums[m][n][half * 2] * scale, sums[m][n][half * 2 + 1] * scale));
      }
    }
  }
}

// D = rowsum(dO∘O), which is rowsum(P∘dP). Of a query that is not there L is ∞, so that its P is 0. Clears dQ.
template <typename T, int head_dim>
__global__ void __launch_bounds__(warps * 32) terms_of_queries(const Arguments<T> a) {
  constexpr int queries = tile_queries(head_dim);
  constexpr int lanes = head_dim / chunk_elems;  // that share a row
  const int64_t head = int64_t{blockIdx.z} * a.heads + blockIdx.y;
  float* const sums = a.workspace + (head * gridDim.x + blockIdx.x) * workspace_floats(head_dim);
  for (int i = 0; i < queries * head_dim; i += warps * 32 * 4) st_global_16(sums + i + threadIdx.x * 4, {});
  for (int r = 0; r < queries; r += warps * 32 / lanes) {
    const int tile_row = r + threadIdx.x / lanes;
    const int row = blockIdx.x * queries + tile_row;
    const bool is_there = row < a.seqlen;
    const int read_row = is_there ? row : a.seqlen - 1;
    const int64_t row_of_all = int64_t{blockIdx.z} * a.seqlen + read_row;
    const int64_t offset = (row_of_all * a.heads + blockIdx.y) * head_dim + threadIdx.x % lanes * chunk_elems;
    const Chunk o = ld_global_16(a.o + offset);
    const Chunk d_o = ld_global_16(a.d_o + offset);
    const float lse = float_of(ld_global_4(a.lse + head * a.seqlen + read_row));
    float d = 0;
    for (int i = 0; i < 4; i++) {
      const Pair x = unpack2<T>(o.words[i]);
      const Pair y = unpack2<T>(d_o.words[i]);
      d += x.low * y.low + x.high * y.high;
    }
    for (int lane_mask = 1; lane_mask < lanes; lane_mask *= 2) d += shfl_xor(d, lane_mask);
    float* const terms = sums + queries * head_dim + tile_row * 2;
    st_global_4_if(threadIdx.x % lanes == 0, terms, bits_of(is_there ? lse * log2_e : INFINITY));
    st_global_4_if(threadIdx.x % lanes == 1, terms + 1, bits_of(is_there ? d : 0));
  }
}

// A CTA keeps a tile of keys, and the queries of all heads that share it pass: dV = Pᵀ·dO, dK = dSᵀ·Q and, of these
// keys, dQ = dS·K.
template <typename T, int head_dim>
__global__ void __launch_bounds__(warps * 32, 1) gradients(const Arguments<T> a) {
  constexpr int queries = tile_queries(head_dim);
  const int lane = threadIdx.x % 32;
  const int64_t row_stride = int64_t{a.heads} * head_dim;  // in elements
  const int64_t kv_row_stride = int64_t{a.heads / a.group} * head_dim;
  const int first_key = blockIdx.x * tile_keys, keys_left = a.seqlen_kv - first_key;
  const int64_t kv_offset = (int64_t{blockIdx.z} * a.seqlen_kv + first_key) * kv_row_stride + blockIdx.y * head_dim;

  const uint32_t k_smem = shared_base(), v_smem = k_smem + tile_bytes(tile_keys, head_dim);
  const uint32_t stages_smem = v_smem + tile_bytes(tile_keys, head_dim);  // Q, dO and terms of this step and the next
  const uint32_t p_smem = stages_smem + 2 * stage_bytes(head_dim), ds_smem = p_smem + tile_bytes(queries, tile_keys);

  // No query before the first block sees a key of the tile.
  const int tiles = tiles_of(a.seqlen, queries);
  const int first_block = std::max(first_key - a.diagonal, 0) / queries;
  const int blocks = tiles - first_block, steps = blocks * a.group;
  const auto visible_keys = [&](int row) { return std::clamp(row + a.diagonal + 1, 0, a.seqlen_kv); };
  const auto row_of = [&](int step) { return (first_block + step % blocks) * queries; };
  const auto head_of = [&](int step) { return static_cast<int>(blockIdx.y) * a.group + step / blocks; };
  const auto sums_of = [&](int step) {
    const int64_t head = int64_t{blockIdx.z} * a.heads + head_of(step);
    return a.workspace + (head * tiles + row_of(step) / queries) * workspace_floats(head_dim);
  };
  const auto stage_smem = [&](int step) { return stages_smem + step % 2 * stage_bytes(head_dim); };
  const auto copy_queries = [&](int step) {
    const int64_t offset = (int64_t{blockIdx.z} * a.seqlen + row_of(step)) * row_stride + head_of(step) * head_dim;
    const int rows_left = a.seqlen - row_of(step);
    const uint32_t d_o_smem = stage_smem(step) + tile_bytes(queries, head_dim);
    copy_tile_async<queries, head_dim>(stage_smem(step), a.q + offset, row_stride, rows_left);
    copy_tile_async<queries, head_dim>(d_o_smem, a.d_o + offset, row_stride, rows_left);
    if (threadIdx.x < queries * term_bytes / chunk_bytes) {
      cp_async_16(d_o_smem + tile_bytes(queries, head_dim) + threadIdx.x * chunk_bytes,
                  sums_of(step) + queries * head_dim + threadIdx.x * 4);
    }
    cp_async_commit();
  };

  copy_tile_async<tile_keys, head_dim>(k_smem, a.k + kv_offset, kv_row_stride, keys_left);
  copy_tile_async<tile_keys, head_dim>(v_smem, a.v + kv_offset, kv_row_stride, keys_left);
  copy_queries(0);

  // Of S and dP a lane holds these queries, 8 rows apart, and two keys of each eight.
  const int first_row = warp_row(queries) + lane / 4, first_col = warp_col(queries, tile_keys) + lane % 4 * 2;
  const uint32_t lane_smem = smem_offset<queries>(first_row, first_col / chunk_elems) + lane % 4 * 4;

  Sums<tile_keys, head_dim> dk_regs = {};
  Sums<tile_keys, head_dim> dv_regs = {};
  for (int step = 0; step < steps; step++) {
    cp_async_wait<0>();
    barrier();  // the queries of this step are here for all warps, and all warps are done with those of the last
    if (step + 1 < steps) copy_queries(step + 1);
    const uint32_t q_smem = stage_smem(step), d_o_smem = q_smem + tile_bytes(queries, head_dim);
    const uint32_t terms_smem = d_o_smem + tile_bytes(queries, head_dim);

    Sums<queries, tile_keys> s_regs = {};
    Sums<queries, tile_keys> dp_regs = {};
    multiply<T, queries, tile_keys, head_dim, false, false>(s_regs, q_smem, k_smem);     // S = Q·Kᵀ
    multiply<T, queries, tile_keys, head_dim, false, false>(dp_regs, d_o_smem, v_smem);  // dP = dO·Vᵀ

    const bool is_masked = visible_keys(row_of(step)) < first_key + tile_keys;
#pragma unroll
    for (int m = 0; m < row_frags; m++) {
      for (int half = 0; half < 2; half++) {
        const int row = m * 16 + half * 8;
        const Pair terms = ld_shared_8(terms_smem + (first_row + row) * term_bytes);
        const int cols_left = visible_keys(row_of(step) + first_row + row) - first_key - first_col;
        for (int n = 0; n < warp_cols(queries, tile_keys) / 8; n++) {
          float* const s = &s_regs[m][n][half * 2];
          float* const dp = &dp_regs[m][n][half * 2];
          for (int i = 0; i < 2; i++) {
            if (is_masked && n * 8 + i >= cols_left) s[i] = -INFINITY;
            differentiate(s[i], dp[i], a.softmax_scale, terms.low, terms.high);
          }
          const uint32_t to_smem = smem_step<queries>(lane_smem ^ n % 2 * chunk_bytes, row, n / 2);
          st_shared_4(p_smem + to_smem, pack2<T>(s[0], s[1]));
          st_shared_4(ds_smem + to_smem, pack2<T>(dp[0], dp[1]));
        }
      }
    }
    barrier();  // P and dS are here for all warps

    multiply<T, tile_keys, head_dim, queries, true, true>(dv_regs, p_smem, d_o_smem);  // dV += Pᵀ·dO
    Sums<queries, head_dim> dq_regs = {};
    multiply<T, queries, head_dim, tile_keys, false, true>(dq_regs, ds_smem, k_smem);  // dQ = dS·K
    float* sums = sums_of(step) + threadIdx.x;  // of which a register of a warp adds to 128 bytes side by side
    for (int m = 0; m < row_frags; m++) {
      for (int n = 0; n < warp_cols(queries, head_dim) / 8; n++) {
        for (int i = 0; i < 4; i++, sums += warps * 32) red_global_add(sums, dq_regs[m][n][i]);
      }
    }
    multiply<T, tile_keys, head_dim, queries, true, true>(dk_regs, ds_smem, q_smem);  // dK += dSᵀ·Q
  }
  const int warp_key = warp_row(tile_keys);
  const int64_t warp_offset = kv_offset + warp_key * kv_row_stride + warp_col(tile_keys, head_dim);
  store_gradient(a.dk + warp_offset, kv_row_stride, keys_left - warp_key, dk_regs, a.softmax_scale);
  store_gradient(a.dv + warp_offset, kv_row_stride, keys_left - warp_key, dv_regs, 1);
}

// dQ in 16 bits, by threads that hold what those that added it held.
template <typename T, int head_dim>
__global__ void __launch_bounds__(warps * 32) round_dq(const Arguments<T> a) {
  constexpr int queries = tile_queries(head_dim);
  const int64_t row_stride = int64_t{a.heads} * head_dim;
  const int first_row = blockIdx.x * queries + warp_row(queries);
  const int64_t tile = (int64_t{blockIdx.z} * a.heads + blockIdx.y) * gridDim.x + blockIdx.x;
  const float* sums = a.workspace + tile * workspace_floats(head_dim) + threadIdx.x;
  Sums<queries, head_dim> dq_regs;
#pragma unroll
  for (int m = 0; m < row_frags; m++) {
    for (int n = 0; n < warp_cols(queries, head_dim) / 8; n++) {
      for (int i = 0; i < 4; i++, sums += warps * 32) dq_regs[m][n][i] = float_of(ld_global_4(sums));
    }
  }
  const int64_t head_offset = int64_t{blockIdx.z} * a.seqlen * row_stride + blockIdx.y * head_dim;
  const int64_t offset = head_offset + first_row * row_stride + warp_col(queries, head_dim);
  store_gradient(a.dq + offset, row_stride, a.seqlen - first_row, dq_regs, a.softmax_scale);
}

constexpr int smem_bytes(int head_dim) {
  return 2 * (tile_bytes(tile_keys, head_dim) + stage_bytes(head_dim) + tile_bytes(tile_queries(head_dim), tile_keys));
}

template <typename T, int head_dim>
std::vector<Launch> plan(const Problem& problem, const Tensors& tensors) {
  const auto read = [](const void* tensor) { return static_cast<const T*>(tensor); };
  const auto write = [](void* tensor) { return static_cast<T*>(tensor); };
  const auto workspace = static_cast<float*>(tensors.workspace);
  const int group = problem.heads / problem.key_heads();
  const int diagonal = problem.keys() - (problem.mask == Mask::causal ? problem.seqlen : 0);
  const auto scale = static_cast<float>(1 / std::sqrt(double(head_dim)));
  const Arguments<T> a{read(tensors.q),   read(tensors.o), read(tensors.d_o), read(tensors.k),
                       read(tensors.v),   tensors.lse,     write(tensors.dq), write(tensors.dk),
                       write(tensors.dv), workspace,       problem.seqlen,    problem.keys(),
                       problem.heads,     group,           diagonal,          scale};
  const Grid of_queries{tiles_of(problem.seqlen, tile_queries(head_dim)), problem.heads, problem.batch};
  const Grid of_keys{tiles_of(problem.keys(), tile_keys), problem.key_heads(), problem.batch};
  return {launch<terms_of_queries<T, head_dim>>(of_queries, warps * 32, 0, a),
          launch<gradients<T, head_dim>>(of_keys, warps * 32, smem_bytes(head_dim), a),
          launch<round_dq<T, head_dim>>(of_queries, warps * 32, 0, a)};
}

template <int head_dim>
int64_t workspace_bytes(const Problem& problem) {
  const int64_t tiles = int64_t{problem.batch} * problem.heads * tiles_of(problem.seqlen, tile_queries(head_dim));
  return tiles * workspace_floats(head_dim) * int64_t{sizeof(float)};
}

template <typename T, int head_dim>
Variant in_type() {
  constexpr int queries = tile_queries(head_dim);
  const TileShape tile{text("d", head_dim, "_", queries, "x", tile_keys), queries, tile_keys, warps * 32,
                       smem_bytes(head_dim)};
  return {.tile = tile,
          .dtype = dtype_of<T>(),
          .coverage = {{head_dim}, {Mask::none, Mask::causal}, {Pass::backward}, true, true, true},
          .plan = plan<T, head_dim>,
          .workspace_bytes = workspace_bytes<head_dim>,
          .outputs = {Output::dq, Output::dk, Output::dv},
          .unordered = {Output::dq}};
}

const Registration registration(__FILE__, "backward: one pass over the scores, dQ by atomics",
                                variants<128, 64>([]<typename T, int head_dim>() { return in_type<T, head_dim>(); }));

}  // namespace
}  // namespace flash_steps
