// v08_backward: the gradients of Q, K and V, in two passes over the scores.
//
// Changed since the forward kernels: dQ, dK and dV follow from Q, K, V, O, dO and the logarithms L of the row sums. No
// score was kept: P = exp(S − L) is computed again, by CTAs that keep a tile of keys and let the queries pass, for dK
// and dV, and by CTAs that keep queries and let the keys pass, for dQ. Each adds up rows of its own: no two CTAs meet,
// and repeats are equal in every bit. The price: S and dP are computed twice, seven products instead of five.
//
// What to look at: `./runner --kernel=v08`: what each of the three launches multiplies and moves.

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
  float* terms;          // [batch, heads, tiles_of(seqlen) · tile_rows, 2]: of each query L · log2(e) and D
  int seqlen, seqlen_kv, heads;
  int group;            // how many heads of queries share a head of keys
  int diagonal;         // query i attends to the keys up to i + diagonal
  float softmax_scale;  // 1/√head_dim
};

constexpr int warps = 4;
constexpr int tile_rows = 64;  // rows that a CTA keeps (keys for dK and dV, queries for dQ), of which a warp has 16
constexpr int tile_cols = 64;  // rows of the other kind that pass in one iteration
constexpr int col_frags = tile_cols / 16;

// More CTAs on an SM hide each other's waits, but leave fewer registers to a thread: 168 of three, 255 of two.
constexpr int ctas_per_sm_of_keys = 2, ctas_per_sm_of_queries = 3;

constexpr int element_bytes = 2;
constexpr int chunk_elems = 8;  // a chunk is what one lane copies: 16 bytes
constexpr int chunk_bytes = chunk_elems * element_bytes;
constexpr int chunks = 8;                      // a tile is cut into panels of 64 columns
constexpr int term_bytes = 8;                  // L and D of a query
constexpr float log2_e = 1.4426950408889634f;  // exp(x) = exp2(x·log2(e)), and exp2 is one instruction

static_assert(tile_rows == tile_cols && tile_rows == warps * 16 && tile_cols * term_bytes == 32 * chunk_bytes);
constexpr int tiles_of(int rows) { return (rows + tile_rows - 1) / tile_rows; }
constexpr int tile_bytes(int head_dim) { return tile_rows * head_dim * element_bytes; }

// Where a chunk lies in a tile in shared memory, in bytes: eight rows of a panel are permuted in eight ways.
__device__ __forceinline__ uint32_t smem_offset(int row, int chunk) {
  return ((chunk / chunks * tile_rows + row) * chunks + (chunk ^ row) % chunks) * chunk_bytes;
}

// Where a chunk lies that is `row` rows (a multiple of 8) and `dim_frag` fragments of two chunks away from another.
__device__ __forceinline__ uint32_t smem_step(uint32_t from_smem, int row, int dim_frag) {
  constexpr int frags = chunks / 2;
  return (from_smem ^ dim_frag % frags * 2 * chunk_bytes) + (dim_frag / frags * tile_rows + row) * chunks * chunk_bytes;
}

// Starts to copy rows of a matrix in global memory to a tile in shared memory. Neighbouring threads copy a panel's row:
// whole sectors of global memory, and all banks of shared memory. Rows beyond rows_left become zeros.
template <int head_dim, typename T>
__device__ __forceinline__ void copy_tile_async(uint32_t tile_smem, const T* tile_gmem, int64_t row_stride,
                                                int rows_left) {
  const int row = threadIdx.x / chunks;
  const int chunk = threadIdx.x % chunks;
  const uint32_t thread_smem = tile_smem + smem_offset(row, chunk);
  const T* thread_gmem = tile_gmem + row * row_stride + chunk * chunk_elems;
#pragma unroll
  for (int r = 0; r < tile_rows; r += warps * 32 / chunks) {
#pragma unroll
    for (int dim = 0; dim < head_dim; dim += chunks * chunk_elems) {
      const uint32_t to_smem = thread_smem + (dim * tile_rows + r * chunks * chunk_elems) * element_bytes;
      cp_async_16_or_zeros(to_smem, thread_gmem + r * row_stride + dim, row + r < rows_left);
    }
  }
}

// A·Bᵀ, of the warp's 16 rows of the tile that is kept and all rows of one that passes. Lanes 0 to 15 point at the
// left half of a fragment of A; of B lanes 0 to 7 and 8 to 15 at the halves of its upper eight rows, a right operand.
template <typename T, int head_dim>
__device__ __forceinline__ void multiply(float (&sums)[col_frags * 2][4], uint32_t a_smem, uint32_t b_smem) {
  const int lane = threadIdx.x % 32;
  const uint32_t a_lane = a_smem + smem_offset(threadIdx.x / 32 * 16 + lane % 16, lane / 16);
  const uint32_t b_lane = b_smem + smem_offset(lane / 16 * 8 + lane % 8, lane / 8 % 2);
#pragma unroll
  for (int d = 0; d < head_dim / 16; d++) {
    uint32_t a_regs[4];
    ldmatrix_x4(a_regs, smem_step(a_lane, 0, d));
#pragma unroll
    for (int c = 0; c < col_frags; c++) {
      uint32_t b_regs[4];
      ldmatrix_x4(b_regs, smem_step(b_lane, c * 16, d));
      mma_m16n8k16<T>(sums[c * 2], a_regs, b_regs[0], b_regs[1], sums[c * 2]);
      mma_m16n8k16<T>(sums[c * 2 + 1], a_regs, b_regs[2], b_regs[3], sums[c * 2 + 1]);
    }
  }
}

// sums += W·B with W in registers: two accumulators, eight columns each, are one left operand of sixteen. B is the
// right operand, which the tensor core wants column by column.
template <typename T, int head_dim>
__device__ __forceinline__ void accumulate(float (&sums)[head_dim / 8][4], const float (&w)[col_frags * 2][4],
                                           uint32_t b_smem) {
  const int lane = threadIdx.x % 32;
  const uint32_t b_lane = b_smem + smem_offset(lane % 16, lane / 16);
#pragma unroll
  for (int c = 0; c < col_frags; c++) {
    uint32_t w_regs[4];
    for (int i = 0; i < 4; i++) {
      const float* pair = &w[c * 2 + i / 2][i % 2 * 2];
      w_regs[i] = pack2<T>(pair[0], pair[1]);
    }
#pragma unroll
    for (int d = 0; d < head_dim / 16; d++) {
      uint32_t b_regs[4];
      ldmatrix_x4_trans(b_regs, smem_step(b_lane, c * 16, d));
      mma_m16n8k16<T>(sums[d * 2], w_regs, b_regs[0], b_regs[1], sums[d * 2]);
      mma_m16n8k16<T>(sums[d * 2 + 1], w_regs, b_regs[2], b_regs[3], sums[d * 2 + 1]);
    }
  }
}

// P = exp(S − L) where S was, and dS = P∘(dP − D) where dP was.
__device__ __forceinline__ void differentiate(float& s, float& dp, float softmax_scale, float lse_log2, float d) {
  s = exp2_approx(fmaf(s, softmax_scale * log2_e, -lse_log2));
  dp = s * (dp - d);
}

// Stores the warp's rows of a gradient as they lie in registers. A CTA does so once: no way through shared memory pays.
template <int head_dim, typename T>
__device__ __forceinline__ void store_gradient(T* tile_gmem, int64_t row_stride, int rows_left,
                                               const float (&sums)[head_dim / 8][4], float scale) {
  const int lane = threadIdx.x % 32;
  for (int half = 0; half < 2; half++) {
    const int row = threadIdx.x / 32 * 16 + half * 8 + lane / 4;
#pragma unroll
    for (int n = 0; n < head_dim / 8; n++) {
      st_global_4_if(row < rows_left, tile_gmem + row * row_stride + n * 8 + lane % 4 * 2,
                     pack2<T>(sums[n][half * 2] * scale, sums[n][half * 2 + 1] * scale));
    }
  }
}

// D = rowsum(dO∘O), which is rowsum(P∘dP). Of a query that is not there L is ∞, so that its P is 0.
template <typename T, int head_dim>
__global__ void __launch_bounds__(warps * 32) terms_of_queries(const Arguments<T> a) {
  constexpr int lanes = head_dim / chunk_elems;  // that share a row
  const int64_t head = int64_t{blockIdx.z} * a.heads + blockIdx.y;
  for (int r = 0; r < tile_rows; r += warps * 32 / lanes) {
    const int row = blockIdx.x * tile_rows + r + threadIdx.x / lanes;
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
    float* const terms = a.terms + (head * tiles_of(a.seqlen) * tile_rows + row) * 2;
    st_global_4_if(threadIdx.x % lanes == 0, terms, bits_of(is_there ? lse * log2_e : INFINITY));
    st_global_4_if(threadIdx.x % lanes == 1, terms + 1, bits_of(is_there ? d : 0));
  }
}

// A CTA keeps a tile of keys, and the queries of all heads that share it pass: dV = Pᵀ·dO and dK = dSᵀ·Q.
template <typename T, int head_dim>
__global__ void __launch_bounds__(warps * 32, ctas_per_sm_of_keys) gradients_of_keys(const Arguments<T> a) {
  const int lane = threadIdx.x % 32;
  const int64_t row_stride = int64_t{a.heads} * head_dim;  // in elements
  const int64_t kv_row_stride = int64_t{a.heads / a.group} * head_dim;
  const int first_key = blockIdx.x * tile_rows, keys_left = a.seqlen_kv - first_key;
  const int64_t kv_offset = (int64_t{blockIdx.z} * a.seqlen_kv + first_key) * kv_row_stride + blockIdx.y * head_dim;

  const uint32_t k_smem = shared_base(), v_smem = k_smem + tile_bytes(head_dim), q_smem = v_smem + tile_bytes(head_dim);
  const uint32_t d_o_smem = q_smem + tile_bytes(head_dim), terms_smem = d_o_smem + tile_bytes(head_dim);

  // No query before the first block sees a key of the tile, and no query before full_from sees all of them.
  const int start_row = std::max(first_key - a.diagonal, 0) / tile_cols * tile_cols;
  const int full_from = std::min(first_key + tile_rows, a.seqlen_kv) - 1 - a.diagonal;
  const int first_head = blockIdx.y * a.group, end_head = first_head + a.group;
  const auto copy_queries = [&](uint32_t to_smem, const T* tensor, int head, int row) {
    const int64_t offset = (int64_t{blockIdx.z} * a.seqlen + row) * row_stride + head * head_dim;
    copy_tile_async<head_dim>(to_smem, tensor + offset, row_stride, a.seqlen - row);
  };

  copy_tile_async<head_dim>(k_smem, a.k + kv_offset, kv_row_stride, keys_left);
  copy_tile_async<head_dim>(v_smem, a.v + kv_offset, kv_row_stride, keys_left);
  copy_queries(d_o_smem, a.d_o, first_head, start_row);
  cp_async_commit();

  float dk_regs[head_dim / 8][4] = {};
  float dv_regs[head_dim / 8][4] = {};
  int head = first_head, row = start_row;  // counted up: a division takes dozens of instructions
  while (head < end_head) {
    const bool is_last = row + tile_cols >= a.seqlen;  // of the head
    const int next_head = head + is_last, next_row = is_last ? start_row : row + tile_cols;
    cp_async_wait<0>();
    barrier();  // K, V and dO are here for all warps, and all warps are done with the last Q
    copy_queries(q_smem, a.q, head, row);
    if (threadIdx.x < 32) {  // as many chunks as a warp has lanes
      const int64_t head_of_all = int64_t{blockIdx.z} * a.heads + head;
      cp_async_16(terms_smem + lane * chunk_bytes,
                  a.terms + (head_of_all * tiles_of(a.seqlen) * tile_rows + row + lane * 2) * 2);
    }
    cp_async_commit();
    float dp_regs[col_frags * 2][4] = {};
    multiply<T, head_dim>(dp_regs, v_smem, d_o_smem);  // dPᵀ = V·dOᵀ
    cp_async_wait<0>();
    barrier();  // Q and the terms of its rows are here for all warps
    float s_regs[col_frags * 2][4] = {};
    multiply<T, head_dim>(s_regs, k_smem, q_smem);  // Sᵀ = K·Qᵀ

    // A lane holds the keys lane / 4 and lane / 4 + 8 of its warp, and two queries of each eight.
    const int hidden_cols = first_key + threadIdx.x / 32 * 16 + lane / 4 - a.diagonal - row - lane % 4 * 2;
    const auto to_p_and_ds = [&](auto is_masked) {
#pragma unroll
      for (int n = 0; n < col_frags * 2; n++) {
        const Chunk terms = ld_shared_16(terms_smem + (n * 8 + lane % 4 * 2) * term_bytes);  // of two queries
        for (int i = 0; i < 4; i++) {
          if (is_masked && n * 8 + i % 2 < hidden_cols + i / 2 * 8) s_regs[n][i] = -INFINITY;
          differentiate(s_regs[n][i], dp_regs[n][i], a.softmax_scale, float_of(terms.words[i % 2 * 2]),
                        float_of(terms.words[i % 2 * 2 + 1]));
        }
      }
    };
    row < full_from ? to_p_and_ds(std::true_type{}) : to_p_and_ds(std::false_type{});
    accumulate<T, head_dim>(dv_regs, s_regs, d_o_smem);  // dV += Pᵀ·dO
    barrier();                                           // all warps are done with dO
    if (next_head < end_head) copy_queries(d_o_smem, a.d_o, next_head, next_row);
    cp_async_commit();
    accumulate<T, head_dim>(dk_regs, dp_regs, q_smem);  // dK += dSᵀ·Q
    head = next_head, row = next_row;
  }
  store_gradient<head_dim>(a.dk + kv_offset, kv_row_stride, keys_left, dk_regs, a.softmax_scale);
  store_gradient<head_dim>(a.dv + kv_offset, kv_row_stride, keys_left, dv_regs, 1);
}

// A CTA keeps a tile of queries, and the keys pass: dQ = dS·K.
template <typename T, int head_dim>
__global__ void __launch_bounds__(warps * 32, ctas_per_sm_of_queries) gradient_of_queries(const Arguments<T> a) {
  const int lane = threadIdx.x % 32;
  const int64_t row_stride = int64_t{a.heads} * head_dim;  // in elements
  const int64_t kv_row_stride = int64_t{a.heads / a.group} * head_dim;
  const int first_row = (gridDim.x - 1 - blockIdx.x) * tile_rows;  // the longest rows first
  const int rows_left = a.seqlen - first_row;
  const int64_t tile_offset = (int64_t{blockIdx.z} * a.seqlen + first_row) * row_stride + blockIdx.y * head_dim;
  const int64_t kv_head_offset = int64_t{blockIdx.z} * a.seqlen_kv * kv_row_stride + blockIdx.y / a.group * head_dim;

  const uint32_t q_smem = shared_base(), d_o_smem = q_smem + tile_bytes(head_dim);
  const uint32_t k_smem = d_o_smem + tile_bytes(head_dim), v_smem = k_smem + tile_bytes(head_dim);

  const auto visible_keys = [&](int row) { return std::clamp(row + a.diagonal + 1, 0, a.seqlen_kv); };
  const int last_block = std::max(visible_keys(std::min(first_row + tile_rows, a.seqlen) - 1) - 1, 0) / tile_cols;
  const int full_blocks = visible_keys(first_row) / tile_cols;  // of which all rows see all keys
  const auto copy_keys = [&](uint32_t to_smem, const T* tensor, int kv_block) {
    copy_tile_async<head_dim>(to_smem, tensor + kv_head_offset + kv_block * tile_cols * kv_row_stride, kv_row_stride,
                              a.seqlen_kv - kv_block * tile_cols);
  };

  copy_tile_async<head_dim>(q_smem, a.q + tile_offset, row_stride, rows_left);
  copy_tile_async<head_dim>(d_o_smem, a.d_o + tile_offset, row_stride, rows_left);
  copy_keys(v_smem, a.v, last_block);
  cp_async_commit();

  // A lane holds the queries lane / 4 and lane / 4 + 8 of its warp, and two keys of each eight.
  const int row = first_row + threadIdx.x / 32 * 16 + lane / 4;
  const int64_t head = int64_t{blockIdx.z} * a.heads + blockIdx.y;
  float terms[4];  // L · log2(e) and D of the first, and of the second
  for (int i = 0; i < 4; i++) {
    terms[i] = float_of(ld_global_4(a.terms + (head * tiles_of(a.seqlen) * tile_rows + row + i / 2 * 8) * 2 + i % 2));
  }

  float dq_regs[head_dim / 8][4] = {};
  for (int kv_block = last_block; kv_block >= 0; kv_block--) {
    cp_async_wait<0>();
    barrier();  // Q, dO and V are here for all warps, and all warps are done with the last K
    copy_keys(k_smem, a.k, kv_block);
    cp_async_commit();
    float dp_regs[col_frags * 2][4] = {};
    multiply<T, head_dim>(dp_regs, d_o_smem, v_smem);  // dP = dO·Vᵀ
    cp_async_wait<0>();
    barrier();  // K is here for all warps, and all warps are done with V
    if (kv_block > 0) copy_keys(v_smem, a.v, kv_block - 1);
    cp_async_commit();
    float s_regs[col_frags * 2][4] = {};
    multiply<T, head_dim>(s_regs, q_smem, k_smem);  // S = Q·Kᵀ
    const int first_col = kv_block * tile_cols + lane % 4 * 2;
    const auto to_p_and_ds = [&](auto is_masked) {
#pragma unroll
      for (int n = 0; n < col_frags * 2; n++) {
        for (int i = 0; i < 4; i++) {
          if (is_masked && first_col + n * 8 + i % 2 >= visible_keys(row + i / 2 * 8)) s_regs[n][i] = -INFINITY;
          differentiate(s_regs[n][i], dp_regs[n][i], a.softmax_scale, terms[i / 2 * 2], terms[i / 2 * 2 + 1]);
        }
      }
    };
    kv_block < full_blocks ? to_p_and_ds(std::false_type{}) : to_p_and_ds(std::true_type{});
    accumulate<T, head_dim>(dq_regs, dp_regs, k_smem);  // dQ += dS·K
  }
  store_gradient<head_dim>(a.dq + tile_offset, row_stride, rows_left, dq_regs, a.softmax_scale);
}

int64_t terms_bytes(const Problem& problem) {
  return int64_t{term_bytes} * problem.batch * problem.heads * tiles_of(problem.seqlen) * tile_rows;
}

constexpr int smem_bytes(int head_dim) { return 4 * tile_bytes(head_dim) + tile_cols * term_bytes; }

template <typename T, int head_dim>
std::vector<Launch> plan(const Problem& problem, const Tensors& tensors) {
  const auto read = [](const void* tensor) { return static_cast<const T*>(tensor); };
  const auto write = [](void* tensor) { return static_cast<T*>(tensor); };
  const auto terms = static_cast<float*>(tensors.workspace);
  const int group = problem.heads / problem.key_heads();
  const int diagonal = problem.keys() - (problem.mask == Mask::causal ? problem.seqlen : 0);
  const auto scale = static_cast<float>(1 / std::sqrt(double(head_dim)));
  const Arguments<T> a{read(tensors.q),   read(tensors.o), read(tensors.d_o), read(tensors.k),
                       read(tensors.v),   tensors.lse,     write(tensors.dq), write(tensors.dk),
                       write(tensors.dv), terms,           problem.seqlen,    problem.keys(),
                       problem.heads,     group,           diagonal,          scale};
  const Grid of_queries{tiles_of(problem.seqlen), problem.heads, problem.batch};
  const Grid of_keys{tiles_of(problem.keys()), problem.key_heads(), problem.batch};
  return {launch<terms_of_queries<T, head_dim>>(of_queries, warps * 32, 0, a),
          launch<gradients_of_keys<T, head_dim>>(of_keys, warps * 32, smem_bytes(head_dim), a),
          launch<gradient_of_queries<T, head_dim>>(of_queries, warps * 32, 4 * tile_bytes(head_dim), a)};
}

template <typename T, int head_dim>
Variant in_type() {
  const TileShape tile{text("d", head_dim, "_", tile_rows, "x", tile_cols), tile_rows, tile_cols, warps * 32,
                       smem_bytes(head_dim)};
  return {.tile = tile,
          .dtype = dtype_of<T>(),
          .coverage = {{head_dim}, {Mask::none, Mask::causal}, {Pass::backward}, true, true, true},
          .plan = plan<T, head_dim>,
          .workspace_bytes = terms_bytes,
          .outputs = {Output::dq, Output::dk, Output::dv}};
}

const Registration registration(__FILE__, "backward: dK and dV by tiles of keys, dQ by tiles of queries",
                                variants<128, 64>([]<typename T, int head_dim>() { return in_type<T, head_dim>(); }));

}  // namespace
}  // namespace flash_steps
