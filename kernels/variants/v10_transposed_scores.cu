// v10_transposed_scores: P and dS are left operands where they are, for heads of 64 elements.
//
// Changed since v09_atomic_dq: scores have keys as rows again, as in v08_backward. Of Pᵀ and dSᵀ a lane then holds what
// dV and dK want as left operand, and dS alone goes through shared memory, for dQ. P is kept in 16 bits, which is what
// the tensor core takes of it, so that S and dP need their registers one after the other. Two warps share the queries
// of a tile of keys, and add up their parts of dK and dV at the end. All tiles have 128 rows.
//
// What to look at: `./runner --kernel=v09,v10 --head-dim=64`: the wavefronts of ldmatrix and of stores.

#include "harness/contract/kernel.h"
#include "isa.cuh"

namespace flash_steps {
namespace {

template <typename T>
struct Arguments {
  const T *q, *o, *d_o;  // [batch, seqlen, heads, 64]
  const T *k, *v;        // [batch, seqlen_kv, heads / group, 64]
  const float* lse;      // [batch, heads, seqlen]
  T *dq, *dk, *dv;       // of the shapes of q, k and v
  float* workspace;      // [batch, heads, tiles]: of a tile of queries dQ so far, and L · log2(e) of each query, and D
  int seqlen, seqlen_kv, heads;
  int group;     // how many heads of queries share a head of keys
  int diagonal;  // query i attends to the keys up to i + diagonal
};

constexpr int warps = 8;
constexpr int head_dim = 64;
constexpr int tile_rows = 128;           // keys that a CTA keeps, and queries that pass in one iteration
constexpr float softmax_scale = 0.125f;  // 1/√head_dim

constexpr int element_bytes = 2;
constexpr int chunk_elems = 8;  // a chunk is what one lane copies: 16 bytes
constexpr int chunk_bytes = chunk_elems * element_bytes;
constexpr int chunks = 8;                      // a tile is cut into panels of 64 columns
constexpr int term_bytes = 8;                  // L and D of a query
constexpr float log2_e = 1.4426950408889634f;  // exp(x) = exp2(x·log2(e)), and exp2 is one instruction

constexpr int tiles_of(int rows) { return (rows + tile_rows - 1) / tile_rows; }
constexpr int tile_bytes = tile_rows * head_dim * element_bytes;
constexpr int stage_bytes = 2 * tile_bytes + tile_rows * term_bytes;  // Q, dO and terms of a step
constexpr int workspace_floats = tile_rows * (head_dim + 2);          // of a tile
constexpr int smem_bytes = 2 * tile_bytes + 2 * stage_bytes + tile_rows * tile_rows * element_bytes;

// Where a chunk lies in a tile in shared memory, in bytes: eight rows of a panel are permuted in eight ways.
__device__ __forceinline__ uint32_t smem_offset(int row, int chunk) {
  return ((chunk / chunks * tile_rows + row) * chunks + (chunk ^ row) % chunks) * chunk_bytes;
}

// Where a chunk lies that is `row` rows (a multiple of 8) and `dim_frag` fragments of two chunks away from another.
__device__ __forceinline__ uint32_t smem_step(uint32_t from_smem, int row, int dim_frag) {
  constexpr int frags = chunks / 2;
  return (from_smem ^ dim_frag % frags * 2 * chunk_bytes) + (dim_frag / frags * tile_rows + row) * chunks * chunk_bytes;
}

// Starts to copy rows of a matrix in global memory to a tile in shared memory. Neighbouring threads copy a row: whole
// sectors of global memory, and all banks of shared memory. Rows beyond rows_left become zeros.
template <typename T>
__device__ __forceinline__ void copy_tile_async(uint32_t tile_smem, const T* tile_gmem, int64_t row_stride,
                                                int rows_left) {
  const int row = threadIdx.x / chunks, chunk = threadIdx.x % chunks;
  const uint32_t thread_smem = tile_smem + smem_offset(row, chunk);
  const T* thread_gmem = tile_gmem + row * row_stride + chunk * chunk_elems;
#pragma unroll
  for (int r = 0; r < tile_rows; r += warps * 32 / chunks) {
    cp_async_16_or_zeros(thread_smem + r * chunks * chunk_bytes, thread_gmem + r * row_stride, row + r < rows_left);
  }
}

// Of the rows of a product a warp has 32, and of the columns half.
constexpr int warp_rows = 32, row_frags = warp_rows / 16, warp_queries = tile_rows / 2;
__device__ __forceinline__ int warp_row() { return threadIdx.x / 32 % (tile_rows / warp_rows) * warp_rows; }
__device__ __forceinline__ int warp_col(int cols) { return threadIdx.x / 32 / (tile_rows / warp_rows) * (cols / 2); }

// What a warp holds of a product: two rows of each 16, and two columns of each 8, a lane.
template <int cols>
using Sums = float[row_frags][cols / 8][4];
using Slice = uint32_t[row_frags][4];  // of a left operand, as long as a fragment

template <bool trans>
__device__ __forceinline__ void load_fragment(uint32_t (&regs)[4], uint32_t lane_smem) {
  trans ? ldmatrix_x4_trans(regs, lane_smem) : ldmatrix_x4(regs, lane_smem);
}

// sums += A·B of a k-slice.
template <typename T, bool trans, int count>
__device__ __forceinline__ void multiply_slice(float (&sums)[row_frags][count][4], const Slice& a_regs, uint32_t b_lane,
                                               int slice) {
#pragma unroll
  for (int n = 0; n < count / 2; n++) {
    uint32_t b_regs[4];
    load_fragment<trans>(b_regs, smem_step(b_lane, (trans ? slice : n) * 16, trans ? n : slice));
    for (int m = 0; m < row_frags; m++) {
      mma_m16n8k16<T>(sums[m][n * 2], a_regs[m], b_regs[0], b_regs[1], sums[m][n * 2]);
      mma_m16n8k16<T>(sums[m][n * 2 + 1], a_regs[m], b_regs[2], b_regs[3], sums[m][n * 2 + 1]);
    }
  }
}

// sums += A·B of tiles in shared memory. The tensor core wants A row by row and B column by column: tiles of which the
// rows are k-slices are transposed as they are loaded.
template <typename T, int cols, int depth, bool trans>
__device__ __forceinline__ void multiply(Sums<cols / 2>& sums, uint32_t a_smem, uint32_t b_smem) {
  const int lane = threadIdx.x % 32;
  // Lanes 0 to 15 point at the left half of a fragment; or lanes 0 to 7 and 8 to 15 at the halves of its upper rows.
  const int half_row = lane % 16, half_chunk = lane / 16;
  const int upper_row = lane / 16 * 8 + lane % 8, upper_chunk = lane / 8 % 2;
  const uint32_t a_lane = a_smem + (trans ? smem_offset(upper_row, warp_row() / chunk_elems + upper_chunk)
                                          : smem_offset(warp_row() + half_row, half_chunk));
  const uint32_t b_lane = b_smem + (trans ? smem_offset(half_row, warp_col(cols) / chunk_elems + half_chunk)
                                          : smem_offset(warp_col(cols) + upper_row, upper_chunk));
#pragma unroll
  for (int d = 0; d < depth / 16; d++) {
    Slice a_regs;
    for (int m = 0; m < row_frags; m++) {
      load_fragment<trans>(a_regs[m], smem_step(a_lane, (trans ? d : m) * 16, trans ? m : d));
    }
    multiply_slice<T, trans>(sums, a_regs, b_lane, d);
  }
}

// sums += W·B with W in registers, of the warp's queries.
template <typename T>
__device__ __forceinline__ void accumulate(Sums<head_dim>& sums, const Slice (&w_regs)[warp_queries / 16],
                                           uint32_t b_smem) {
  const uint32_t b_lane = b_smem + smem_offset(warp_col(tile_rows) + threadIdx.x % 16, threadIdx.x % 32 / 16);
#pragma unroll
  for (int c = 0; c < warp_queries / 16; c++) multiply_slice<T, true>(sums, w_regs[c], b_lane, c);
}

// Of the two warps that share keys the upper one hands its sums, of other queries, to the lower one.
__device__ __forceinline__ void add_upper_warps(Sums<head_dim>& sums, uint32_t smem) {
  constexpr int half = warps / 2 * 32;
  barrier();  // all warps are done with what lies there
#pragma unroll
  for (int i = 0; i < warp_rows * head_dim / 32 * 2; i++) {
    constexpr int count = warp_rows * head_dim / 32;
    if (i == count) barrier();  // the sums are here
    float& sum = sums[i % count / 4 % row_frags][i % count / 4 / row_frags][i % 4];
    const uint32_t thread_smem = smem + (i % count * half + threadIdx.x % half) * 4;
    if (i < count && threadIdx.x >= half) st_shared_4(thread_smem, bits_of(sum));
    if (i >= count && threadIdx.x < half) sum += float_of(ld_shared_4(thread_smem));
  }
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
template <typename T>
__global__ void __launch_bounds__(warps * 32) terms_of_queries(const Arguments<T> a) {
  constexpr int lanes = head_dim / chunk_elems;  // that share a row
  const int64_t head = int64_t{blockIdx.z} * a.heads + blockIdx.y;
  float* const sums = a.workspace + (head * gridDim.x + blockIdx.x) * workspace_floats;
  for (int i = 0; i < tile_rows * head_dim; i += warps * 32 * 4) st_global_16(sums + i + threadIdx.x * 4, {});
  for (int r = 0; r < tile_rows; r += warps * 32 / lanes) {
    const int tile_row = r + threadIdx.x / lanes, row = blockIdx.x * tile_rows + tile_row;
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
    float* const terms = sums + tile_rows * head_dim + tile_row;
    st_global_4_if(threadIdx.x % lanes == 0, terms, bits_of(is_there ? lse * log2_e : INFINITY));
    st_global_4_if(threadIdx.x % lanes == 1, terms + tile_rows, bits_of(is_there ? d : 0));
  }
}

// A CTA keeps a tile of keys, and the queries of all heads that share it pass: dV = Pᵀ·dO, dK = dSᵀ·Q, part of dQ.
template <typename T>
__global__ void __launch_bounds__(warps * 32, 1) gradients(const Arguments<T> a) {
  const int lane = threadIdx.x % 32;
  const int64_t row_stride = int64_t{a.heads} * head_dim;  // in elements
  const int64_t kv_row_stride = int64_t{a.heads / a.group} * head_dim;
  const int first_key = blockIdx.x * tile_rows, keys_left = a.seqlen_kv - first_key;
  const int64_t kv_offset = (int64_t{blockIdx.z} * a.seqlen_kv + first_key) * kv_row_stride + blockIdx.y * head_dim;

  const uint32_t k_smem = shared_base(), v_smem = k_smem + tile_bytes;
  const uint32_t stages_smem = v_smem + tile_bytes, ds_smem = stages_smem + 2 * stage_bytes;

  // No query before the first block sees a key of the tile.
  const int tiles = tiles_of(a.seqlen);
  const int first_block = std::max(first_key - a.diagonal, 0) / tile_rows;
  const int blocks = tiles - first_block, steps = blocks * a.group;
  const auto visible_keys = [&](int row) { return std::clamp(row + a.diagonal + 1, 0, a.seqlen_kv); };
  const auto row_of = [&](int step) { return (first_block + step % blocks) * tile_rows; };
  const auto head_of = [&](int step) { return static_cast<int>(blockIdx.y) * a.group + step / blocks; };
  const auto sums_of = [&](int step) {
    const int64_t head = int64_t{blockIdx.z} * a.heads + head_of(step);
    return a.workspace + (head * tiles + row_of(step) / tile_rows) * workspace_floats;
  };
  const auto stage_smem = [&](int step) { return stages_smem + step % 2 * stage_bytes; };
  const auto copy_queries = [&](int step) {
    const int64_t offset = (int64_t{blockIdx.z} * a.seqlen + row_of(step)) * row_stride + head_of(step) * head_dim;
    const uint32_t d_o_smem = stage_smem(step) + tile_bytes;
    copy_tile_async(stage_smem(step), a.q + offset, row_stride, a.seqlen - row_of(step));
    copy_tile_async(d_o_smem, a.d_o + offset, row_stride, a.seqlen - row_of(step));
    if (threadIdx.x < tile_rows * term_bytes / chunk_bytes) {
      cp_async_16(d_o_smem + tile_bytes + threadIdx.x * chunk_bytes,
                  sums_of(step) + tile_rows * head_dim + threadIdx.x * 4);
    }
    cp_async_commit();
  };

  copy_tile_async(k_smem, a.k + kv_offset, kv_row_stride, keys_left);
  copy_tile_async(v_smem, a.v + kv_offset, kv_row_stride, keys_left);
  copy_queries(0);

  // Of Sᵀ and dPᵀ a lane holds these keys, 8 rows apart, and two queries of each eight.
  const int key = first_key + warp_row() + lane / 4, first_query = warp_col(tile_rows) + lane % 4 * 2;

  Sums<head_dim> dk_regs = {};
  Sums<head_dim> dv_regs = {};
  for (int step = 0; step < steps; step++) {
    cp_async_wait<0>();
    barrier();  // the queries of this step are here for all warps, and all warps are done with those of the last
    if (step + 1 < steps) copy_queries(step + 1);
    const uint32_t q_smem = stage_smem(step), d_o_smem = q_smem + tile_bytes;
    const uint32_t lse_smem = d_o_smem + tile_bytes + first_query * 4, d_smem = lse_smem + tile_rows * 4;
    Sums<tile_rows / 2> s_regs = {};
    multiply<T, tile_rows, head_dim, false>(s_regs, k_smem, q_smem);  // Sᵀ = K·Qᵀ
    if (visible_keys(row_of(step)) < first_key + tile_rows) {
#pragma unroll
      for (int n = 0; n < warp_queries / 8; n++) {
        for (int i = 0; i < row_frags * 4; i++) {
          const int row = row_of(step) + first_query + n * 8 + i % 2;
          if (key + i / 2 * 8 >= visible_keys(row)) s_regs[i / 4][n][i % 4] = -INFINITY;
        }
      }
    }
    Slice w_regs[warp_queries / 16];
#pragma unroll
    for (int n = 0; n < warp_queries / 8; n++) {
      const Pair lse_log2 = ld_shared_8(lse_smem + n * 8 * 4);
      for (int r = 0; r < warp_rows / 8; r++) {
        const float* const s = &s_regs[r / 2][n][r % 2 * 2];
        const float p0 = exp2_approx(fmaf(s[0], softmax_scale * log2_e, -lse_log2.low));
        const float p1 = exp2_approx(fmaf(s[1], softmax_scale * log2_e, -lse_log2.high));
        w_regs[n / 2][r / 2][n % 2 * 2 + r % 2] = pack2<T>(p0, p1);
      }
    }
    accumulate<T>(dv_regs, w_regs, d_o_smem);  // dV += Pᵀ·dO

    const uint32_t lane_smem = ds_smem + smem_offset(warp_row() + lane / 4, first_query / chunk_elems) + lane % 4 * 4;
    Sums<tile_rows / 2> dp_regs = {};
    multiply<T, tile_rows, head_dim, false>(dp_regs, v_smem, d_o_smem);  // dPᵀ = V·dOᵀ
#pragma unroll
    for (int n = 0; n < warp_queries / 8; n++) {
      const Pair d = ld_shared_8(d_smem + n * 8 * 4);
      for (int r = 0; r < warp_rows / 8; r++) {
        const float* const dp = &dp_regs[r / 2][n][r % 2 * 2];
        uint32_t& w = w_regs[n / 2][r / 2][n % 2 * 2 + r % 2];
        const Pair p = unpack2<T>(w);
        w = pack2<T>(p.low * (dp[0] - d.low), p.high * (dp[1] - d.high));  // dS = P∘(dP − D)
        st_shared_4(smem_step(lane_smem ^ n % 2 * chunk_bytes, r * 8, n / 2), w);
      }
    }
    accumulate<T>(dk_regs, w_regs, q_smem);  // dK += dSᵀ·Q
    barrier();                               // dS is here for all warps

    Sums<head_dim / 2> dq_regs = {};
    multiply<T, head_dim, tile_rows, true>(dq_regs, ds_smem, k_smem);  // dQ = dS·K
    float* sums = sums_of(step) + threadIdx.x;  // of which a register of a warp adds to 128 bytes side by side
    for (int m = 0; m < row_frags; m++) {
      for (int n = 0; n < head_dim / 2 / 8; n++) {
        for (int i = 0; i < 4; i++, sums += warps * 32) red_global_add(sums, dq_regs[m][n][i]);
      }
    }
  }
  add_upper_warps(dk_regs, ds_smem);
  add_upper_warps(dv_regs, ds_smem);
  if (warp_col(tile_rows) > 0) return;
  const int64_t warp_offset = kv_offset + warp_row() * kv_row_stride;
  store_gradient(a.dk + warp_offset, kv_row_stride, keys_left - warp_row(), dk_regs, softmax_scale);
  store_gradient(a.dv + warp_offset, kv_row_stride, keys_left - warp_row(), dv_regs, 1);
}

// dQ in 16 bits, by threads that hold what those that added it held.
template <typename T>
__global__ void __launch_bounds__(warps * 32) round_dq(const Arguments<T> a) {
  const int64_t row_stride = int64_t{a.heads} * head_dim;
  const int first_row = blockIdx.x * tile_rows + warp_row();
  const int64_t tile = (int64_t{blockIdx.z} * a.heads + blockIdx.y) * gridDim.x + blockIdx.x;
  const float* sums = a.workspace + tile * workspace_floats + threadIdx.x;
  Sums<head_dim / 2> dq_regs;
#pragma unroll
  for (int m = 0; m < row_frags; m++) {
    for (int n = 0; n < head_dim / 2 / 8; n++) {
      for (int i = 0; i < 4; i++, sums += warps * 32) dq_regs[m][n][i] = float_of(ld_global_4(sums));
    }
  }
  const int64_t offset = (int64_t{blockIdx.z} * a.seqlen + first_row) * row_stride + blockIdx.y * head_dim;
  store_gradient(a.dq + offset + warp_col(head_dim), row_stride, a.seqlen - first_row, dq_regs, softmax_scale);
}

template <typename T>
std::vector<Launch> plan(const Problem& problem, const Tensors& tensors) {
  const auto read = [](const void* tensor) { return static_cast<const T*>(tensor); };
  const auto write = [](void* tensor) { return static_cast<T*>(tensor); };
  const auto workspace = static_cast<float*>(tensors.workspace);
  const int group = problem.heads / problem.key_heads();
  const int diagonal = problem.keys() - (problem.mask == Mask::causal ? problem.seqlen : 0);
  const Arguments<T> a{read(tensors.q),   read(tensors.o), read(tensors.d_o), read(tensors.k),
                       read(tensors.v),   tensors.lse,     write(tensors.dq), write(tensors.dk),
                       write(tensors.dv), workspace,       problem.seqlen,    problem.keys(),
                       problem.heads,     group,           diagonal};
  const Grid of_queries{tiles_of(problem.seqlen), problem.heads, problem.batch};
  const Grid of_keys{tiles_of(problem.keys()), problem.key_heads(), problem.batch};
  return {launch<terms_of_queries<T>>(of_queries, warps * 32, 0, a),
          launch<gradients<T>>(of_keys, warps * 32, smem_bytes, a), launch<round_dq<T>>(of_queries, warps * 32, 0, a)};
}

const Registration registration(
    __FILE__, "backward: transposed scores, P and dS in registers", variants<head_dim>([]<typename T, int>() {
      return Variant{.tile = {"d64_128x128", tile_rows, tile_rows, warps * 32, smem_bytes},
                     .dtype = dtype_of<T>(),
                     .coverage = {{head_dim}, {Mask::none, Mask::causal}, {Pass::backward}, true, true, true},
                     .plan = plan<T>,
                     .workspace_bytes =
                         [](auto& p) { return int64_t{4} * p.batch * p.heads * tiles_of(p.seqlen) * workspace_floats; },
                     .outputs = {Output::dq, Output::dk, Output::dv},
                     .unordered = {Output::dq}};
    }));

}  // namespace
}  // namespace flash_steps
