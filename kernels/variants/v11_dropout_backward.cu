// v11_dropout_backward: the gradients where weights are dropped, of packed sequences.
//
// Changed since v10_transposed_scores: what the forward pass dropped is drawn again. A lane holds weights of two lanes
// of v07_dropout, as does the lane 4 away: each draws for one, and hands over the other's bytes. P becomes a left
// operand in slices, 0 where it is dropped; for dS dropped weights change their sign. Packed as in v04_packed.
//
// What to look at: `./runner --kernel=v10,v11 --head-dim=64 --pass=backward`: shuffles.

#include "harness/contract/kernel.h"
#include "isa.cuh"
#include "isa_philox.cuh"

namespace flash_steps {
namespace {

template <typename T>
struct Arguments {
  const T *q, *o, *d_o;     // [queries of all sequences, heads, 64]
  const T *k, *v;           // [keys of all sequences, heads / group, 64]
  const float* lse;         // of each sequence [heads, its queries]
  T *dq, *dk, *dv;          // of the shapes of q, k and v
  float* workspace;         // [batch, heads, tiles]: of a tile dQ so far, and L · log2(e) of each query, and κ·D
  const int* starts;        // [batch + 1]: the first query of each sequence, and how many there are
  const int* kv_starts;     // [batch + 1]: the same of keys
  int tiles, heads, group;  // tiles are of the longest sequence; so many heads of queries share a head of keys
  bool causal;
  Dropout dropout;  // with the scale 1/κ of weights that are kept
};

constexpr int warps = 8;
constexpr int head_dim = 64;
constexpr int tile_rows = 128;           // keys that a CTA keeps, and queries that pass in one iteration
constexpr float softmax_scale = 0.125f;  // 1/√head_dim

constexpr int element_bytes = 2;
constexpr int chunk_elems = 8;  // a chunk is what one lane copies: 16 bytes
constexpr int chunk_bytes = chunk_elems * element_bytes;
constexpr int chunks = 8;                      // a tile is cut into panels of 64 columns
constexpr int terms_bytes = tile_rows * 8;     // L and D of a tile of queries
constexpr float log2_e = 1.4426950408889634f;  // exp(x) = exp2(x·log2(e)), and exp2 is one instruction

constexpr int tiles_of(int rows) { return (rows + tile_rows - 1) / tile_rows; }
constexpr int tile_bytes = tile_rows * head_dim * element_bytes;
constexpr int stage_bytes = 2 * tile_bytes + terms_bytes;  // Q, dO and terms of a step
constexpr int tile_floats = tile_rows * (head_dim + 2);    // of a tile in the workspace
constexpr int smem_bytes = 2 * tile_bytes + 2 * stage_bytes + tile_rows * tile_rows * element_bytes;

// The first row of the CTA's sequence, and how many there are.
struct Rows {
  int first, count;
};
__device__ __forceinline__ Rows rows_of_sequence(const int* starts) {
  const int first = static_cast<int>(ld_global_4(starts + blockIdx.z));
  return {first, static_cast<int>(ld_global_4(starts + blockIdx.z + 1)) - first};
}

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
  const auto half = [&](int r, int c) { return smem_offset(r + lane % 16, c + lane / 16); };
  const auto upper = [&](int r, int c) { return smem_offset(r + lane / 16 * 8 + lane % 8, c + lane / 8 % 2); };
  const uint32_t a_lane = a_smem + (trans ? upper(0, warp_row() / chunk_elems) : half(warp_row(), 0));
  const uint32_t b_lane = b_smem + (trans ? half(0, warp_col(cols) / chunk_elems) : upper(warp_col(cols), 0));
#pragma unroll
  for (int d = 0; d < depth / 16; d++) {
    Slice a_regs;
    for (int m = 0; m < row_frags; m++) {
      load_fragment<trans>(a_regs[m], smem_step(a_lane, (trans ? d : m) * 16, trans ? m : d));
    }
    multiply_slice<T, trans>(sums, a_regs, b_lane, d);
  }
}

// Of the two warps that share keys the upper one hands its sums, of other queries, to the lower one.
__device__ __forceinline__ void add_upper_warps(Sums<head_dim>& sums, uint32_t smem) {
  constexpr int half = warps / 2 * 32, count = warp_rows * head_dim / 32;
#pragma unroll
  for (int i = 0; i < 2 * count; i++) {
    if (i % count == 0) barrier();  // all warps are done with what lies there; all sums are there
    float& sum = sums[i % count / 4 % row_frags][i % count / 4 / row_frags][i % 4];
    const uint32_t thread_smem = smem + (i % count * half + threadIdx.x % half) * 4;
    if (i < count && threadIdx.x >= half) st_shared_4(thread_smem, bits_of(sum));
    if (i >= count && threadIdx.x < half) sum += float_of(ld_shared_4(thread_smem));
  }
}

// Stores the warp's part of a tile of a gradient as it lies in registers. A CTA does so once: no way through shared
// memory pays.
template <typename T, int count>
__device__ __forceinline__ void store_gradient(T* tile_gmem, int64_t row_stride, int rows_left,
                                               const float (&sums)[row_frags][count][4], float scale) {
#pragma unroll
  for (int r = 0; r < warp_rows / 8; r++) {
    const int row = warp_row() + r * 8 + threadIdx.x % 32 / 4;
    for (int n = 0; n < count; n++) {
      st_global_4_if(row < rows_left, tile_gmem + row * row_stride + n * 8 + threadIdx.x % 4 * 2,
                     pack2<T>(sums[r / 2][n][r % 2 * 2] * scale, sums[r / 2][n][r % 2 * 2 + 1] * scale));
    }
  }
}

// Of a tile of the sequence's queries: dQ so far, L and κ·D.
template <typename T>
__device__ __forceinline__ float* sums_of(const Arguments<T>& a, int head, int tile) {
  return a.workspace + ((int64_t{blockIdx.z} * a.heads + head) * a.tiles + tile) * tile_floats;
}

// D = rowsum(dO∘O), which is rowsum(P∘Z∘dP/κ). Of a query that is not there L is ∞, so that its P is 0. Clears dQ.
template <typename T>
__global__ void __launch_bounds__(warps * 32) terms_of_queries(const Arguments<T> a) {
  constexpr int lanes = head_dim / chunk_elems;  // that share a row
  const Rows queries = rows_of_sequence(a.starts);
  const int first_row = blockIdx.x * tile_rows;
  if (first_row >= queries.count) return;
  float* const sums = sums_of(a, blockIdx.y, blockIdx.x);
  for (int i = 0; i < tile_rows * head_dim; i += warps * 32 * 4) st_global_16(sums + i + threadIdx.x * 4, {});
  const float* const lse_gmem = a.lse + int64_t{queries.first} * a.heads + int64_t{blockIdx.y} * queries.count;
  for (int r = 0; r < tile_rows; r += warps * 32 / lanes) {
    const int tile_row = r + threadIdx.x / lanes, row = first_row + tile_row;
    const int read_row = std::min(row, queries.count - 1);
    const int64_t row_of_all = int64_t{queries.first} + read_row;
    const int64_t offset = (row_of_all * a.heads + blockIdx.y) * head_dim + threadIdx.x % lanes * chunk_elems;
    const Chunk o = ld_global_16(a.o + offset), d_o = ld_global_16(a.d_o + offset);
    const float lse = float_of(ld_global_4(lse_gmem + read_row));
    float d = 0;
    for (int i = 0; i < 4; i++) {
      const Pair x = unpack2<T>(o.words[i]), y = unpack2<T>(d_o.words[i]);
      d += x.low * y.low + x.high * y.high;
    }
    for (int lane_mask = 1; lane_mask < lanes; lane_mask *= 2) d += shfl_xor(d, lane_mask);
    float* const terms = sums + tile_rows * head_dim + tile_row;
    st_global_4_if(threadIdx.x % lanes == 0, terms, bits_of(row < queries.count ? lse * log2_e : INFINITY));
    st_global_4_if(threadIdx.x % lanes == 1, terms + tile_rows, bits_of(d / a.dropout.kept_scale));
  }
}

// A CTA keeps a tile of keys, and the queries of all heads that share it pass: dV = Pᵀ·dO, dK = dSᵀ·Q, part of dQ.
template <typename T>
__global__ void __launch_bounds__(warps * 32, 1) gradients(const Arguments<T> a) {
  const int lane = threadIdx.x % 32, is_odd = lane / 4 % 2;  // whether its keys are
  const Rows queries = rows_of_sequence(a.starts), keys = rows_of_sequence(a.kv_starts);
  const int first_key = blockIdx.x * tile_rows, keys_left = keys.count - first_key;
  if (keys_left <= 0) return;
  const int diagonal = keys.count - (a.causal ? queries.count : 0);  // query i attends to the keys up to i + diagonal
  const int64_t row_stride = int64_t{a.heads} * head_dim;            // in elements
  const int64_t kv_row_stride = int64_t{a.heads / a.group} * head_dim;
  const int64_t kv_offset = (int64_t{keys.first} + first_key) * kv_row_stride + blockIdx.y * head_dim;
  const uint32_t k_smem = shared_base(), v_smem = k_smem + tile_bytes;
  const uint32_t stages_smem = v_smem + tile_bytes, ds_smem = stages_smem + 2 * stage_bytes;
  const int start_row = std::max(first_key - diagonal, 0) / tile_rows * tile_rows;  // no query before sees a key
  const int first_head = blockIdx.y * a.group, end_head = queries.count > 0 ? first_head + a.group : first_head;
  const auto visible_keys = [&](int row) { return std::min(row + diagonal + 1, keys.count); };
  const auto copy_queries = [&](int step, int head, int row) {
    const int64_t offset = (int64_t{queries.first} + row) * row_stride + head * head_dim;
    const uint32_t q_smem = stages_smem + step % 2 * stage_bytes, d_o_smem = q_smem + tile_bytes;
    copy_tile_async(q_smem, a.q + offset, row_stride, queries.count - row);
    copy_tile_async(d_o_smem, a.d_o + offset, row_stride, queries.count - row);
    const uint32_t thread_smem = d_o_smem + tile_bytes + threadIdx.x * chunk_bytes;
    const float* const terms = sums_of(a, head, row / tile_rows) + tile_rows * head_dim;
    if (threadIdx.x < terms_bytes / chunk_bytes) cp_async_16(thread_smem, terms + threadIdx.x * 4);
    cp_async_commit();
  };
  if (first_head < end_head) {
    copy_tile_async(k_smem, a.k + kv_offset, kv_row_stride, keys_left);
    copy_tile_async(v_smem, a.v + kv_offset, kv_row_stride, keys_left);
    copy_queries(0, first_head, start_row);
  }
  // Of Sᵀ and dPᵀ a lane holds these keys, 8 rows apart, and two queries of each eight.
  const int key = first_key + warp_row() + lane / 4, first_query = warp_col(tile_rows) + lane % 4 * 2;
  const uint32_t queries_lane = smem_offset(warp_col(tile_rows) + lane % 16, lane / 16);  // as right operand
  Sums<head_dim> dk_regs = {}, dv_regs = {};
  int head = first_head, row = start_row;  // counted up: a division takes dozens of instructions
  for (int step = 0; head < end_head; step++) {
    const bool is_last = row + tile_rows >= queries.count;  // of the head
    const int next_head = head + is_last, next_row = is_last ? start_row : row + tile_rows;
    cp_async_wait<0>();
    barrier();  // the queries of this step are here for all warps, and all warps are done with those of the last
    if (next_head < end_head) copy_queries(step + 1, next_head, next_row);
    const uint32_t q_smem = stages_smem + step % 2 * stage_bytes, d_o_smem = q_smem + tile_bytes;
    const uint32_t lse_smem = d_o_smem + tile_bytes + first_query * 4, d_smem = lse_smem + tile_rows * 4;
    Sums<tile_rows / 2> s_regs = {};
    multiply<T, tile_rows, head_dim, false>(s_regs, k_smem, q_smem);  // Sᵀ = K·Qᵀ
    if (visible_keys(row) < first_key + tile_rows) {
#pragma unroll
      for (int i = 0; i < warp_rows * warp_queries / 32; i++) {
        const int visible = visible_keys(row + first_query + i / 8 * 8 + i % 2);
        if (key + i % 8 / 2 * 8 >= visible) s_regs[i / 4 % 2][i / 8][i % 4] = -INFINITY;
      }
    }
    // The even and the odd queries of its keys are those of two lanes of v07_dropout. This lane draws for one of them.
    const int drawing_lane = (lane % 4 * 2 + is_odd) * 4 + lane / 8;
    const uint64_t counter = a.dropout.offset + (uint64_t{blockIdx.z} * a.heads + head) * 32 + drawing_lane;
    const uint32_t rest = (255 - a.dropout.largest_kept_byte) * 0x01010101u;
    Slice w_regs[warp_queries / 16];  // P, with the other sign where it is dropped
#pragma unroll
    for (int c = 0; c < warp_queries / 16; c++) {
      uint32_t drawn[4];  // a byte for each weight of 32 keys and 16 queries
      philox(drawn, a.dropout.seed, counter, (row + warp_col(tile_rows)) / 16 + c, (first_key + warp_row()) / 32);
      for (int r = 0; r < warp_rows / 8; r++) {
        const uint32_t other = bits_of(shfl_xor(float_of(drawn[r]), 4));
        const uint32_t bytes = permute_bytes(drawn[r], other, is_odd ? 0x3715 : 0x6240);  // of even and odd queries
        drawn[r] = (bytes & rest) + (((bytes ^ rest) & 0xfefefefe) >> 1);  // half a sum: above 127 if it is dropped
      }
      Slice kept_regs;  // P, and 0 where it is dropped
      for (int n = 0; n < 2; n++) {
        const Pair lse_log2 = ld_shared_8(lse_smem + (c * 2 + n) * 8 * 4);
        for (int r = 0; r < warp_rows / 8; r++) {
          const float* const s = &s_regs[r / 2][c * 2 + n][r % 2 * 2];
          const float p0 = exp2_approx(fmaf(s[0], softmax_scale * log2_e, -lse_log2.low));
          const float p1 = exp2_approx(fmaf(s[1], softmax_scale * log2_e, -lse_log2.high));
          const uint32_t p = pack2<T>(p0, p1), dropped = permute_bytes(drawn[r], 0, n == 0 ? 0x9988 : 0xbbaa);
          w_regs[c][r / 2][n * 2 + r % 2] = p | (dropped & 0x80008000);
          kept_regs[r / 2][n * 2 + r % 2] = p & ~dropped;
        }
      }
      multiply_slice<T, true>(dv_regs, kept_regs, d_o_smem + queries_lane, c);  // κ·dV += (Z∘P)ᵀ·dO
    }
    const uint32_t lane_smem = ds_smem + smem_offset(warp_row() + lane / 4, first_query / chunk_elems) + lane % 4 * 4;
    Sums<tile_rows / 2> dp_regs = {};
    multiply<T, tile_rows, head_dim, false>(dp_regs, v_smem, d_o_smem);  // dPᵀ = V·dOᵀ
#pragma unroll
    for (int n = 0; n < warp_queries / 8; n++) {
      const Pair d = ld_shared_8(d_smem + n * 8 * 4);
      for (int r = 0; r < warp_rows / 8; r++) {
        const float* const dp = &dp_regs[r / 2][n][r % 2 * 2];
        uint32_t& w = w_regs[n / 2][r / 2][n % 2 * 2 + r % 2];
        const Pair p = unpack2<T>(w);  // κ·dS = P∘(Z∘dP − κ·D)
        w = pack2<T>(fmaxf(p.low, 0) * dp[0] - fabsf(p.low) * d.low, fmaxf(p.high, 0) * dp[1] - fabsf(p.high) * d.high);
        st_shared_4(smem_step(lane_smem ^ n % 2 * chunk_bytes, r * 8, n / 2), w);
      }
    }
#pragma unroll
    for (int c = 0; c < warp_queries / 16; c++) multiply_slice<T, true>(dk_regs, w_regs[c], q_smem + queries_lane, c);
    barrier();  // dS is here for all warps
    Sums<head_dim / 2> dq_regs = {};
    multiply<T, head_dim, tile_rows, true>(dq_regs, ds_smem, k_smem);  // dQ = dS·K
    float* sums = sums_of(a, head, row / tile_rows) + threadIdx.x;     // a warp adds to 128 bytes side by side
#pragma unroll
    for (int i = 0; i < 32; i++, sums += warps * 32) red_global_add(sums, dq_regs[i / 16][i / 4 % 4][i % 4]);
    head = next_head, row = next_row;
  }
  add_upper_warps(dk_regs, ds_smem);
  add_upper_warps(dv_regs, ds_smem);
  if (warp_col(tile_rows) > 0) return;
  store_gradient(a.dk + kv_offset, kv_row_stride, keys_left, dk_regs, softmax_scale * a.dropout.kept_scale);
  store_gradient(a.dv + kv_offset, kv_row_stride, keys_left, dv_regs, a.dropout.kept_scale);
}

// dQ in 16 bits, by threads that hold what those that added it held.
template <typename T>
__global__ void __launch_bounds__(warps * 32) round_dq(const Arguments<T> a) {
  const int64_t row_stride = int64_t{a.heads} * head_dim;
  const Rows queries = rows_of_sequence(a.starts);
  const int first_row = blockIdx.x * tile_rows;
  if (first_row >= queries.count) return;
  const float* sums = sums_of(a, blockIdx.y, blockIdx.x) + threadIdx.x;
  Sums<head_dim / 2> dq_regs;
#pragma unroll
  for (int i = 0; i < 32; i++, sums += warps * 32) dq_regs[i / 16][i / 4 % 4][i % 4] = float_of(ld_global_4(sums));
  const int64_t offset = (int64_t{queries.first} + first_row) * row_stride + blockIdx.y * head_dim + warp_col(head_dim);
  store_gradient(a.dq + offset, row_stride, queries.count - first_row, dq_regs, softmax_scale * a.dropout.kept_scale);
}

template <typename T>
std::vector<Launch> plan(const Problem& p, const Tensors& t) {
  const auto read = [](const void* tensor) { return static_cast<const T*>(tensor); };
  const auto write = [](void* tensor) { return static_cast<T*>(tensor); };
  const auto workspace = static_cast<float*>(t.workspace);
  const int tiles = tiles_of(p.seqlen), group = p.heads / p.key_heads();
  const bool causal = p.mask == Mask::causal;
  const Arguments<T> a{read(t.q),   read(t.o),   read(t.d_o), read(t.k), read(t.v),   t.lse,
                       write(t.dq), write(t.dk), write(t.dv), workspace, t.starts,    t.kv_starts,
                       tiles,       p.heads,     group,       causal,    p.dropping()};
  const Grid of_queries{tiles, p.heads, p.batch}, of_keys{tiles_of(p.keys()), p.key_heads(), p.batch};
  return {launch<terms_of_queries<T>>(of_queries, warps * 32, 0, a),
          launch<gradients<T>>(of_keys, warps * 32, smem_bytes, a), launch<round_dq<T>>(of_queries, warps * 32, 0, a)};
}

const Registration registration(
    __FILE__, "backward: dropout, and sequences of different lengths", variants<head_dim>([]<typename T, int>() {
      return Variant{
          .tile = {"d64_128x128", tile_rows, tile_rows, warps * 32, smem_bytes},
          .dtype = dtype_of<T>(),
          .coverage = {{head_dim}, {Mask::none, Mask::causal}, {Pass::backward}, true, true, true, true, true},
          .plan = plan<T>,
          .workspace_bytes = [](auto& p) { return int64_t{4} * p.batch * p.heads * tiles_of(p.seqlen) * tile_floats; },
          .outputs = {Output::dq, Output::dk, Output::dv},
          .unordered = {Output::dq}};
    }));

}  // namespace
}  // namespace flash_steps
