// p05_coalesced: neighbouring threads copy neighbouring bytes.
//
// Changed since p04_row_tile: a warp copies half a row at once, 128 bytes in four sectors, where its lanes copied 4
// bytes of 32 rows each, out of 32 sectors. O goes out the same way, through the place of Q. What a thread computes has
// not changed: still its row.
//
// What to look at: `./runner --kernel=p04,p05`: an eighth of the sectors, and as many wavefronts of shared memory as
// before. Shared memory is what bounds both.

#include "harness/contract/kernel.h"
#include "isa.cuh"

namespace flash_steps {
namespace {

constexpr int head_dim = 128;
constexpr int tile_rows = 64;  // query rows of a CTA, one a thread
constexpr int tile_cols = 64;  // key and value rows of one iteration
constexpr int warps = tile_rows / 32;
constexpr int ctas_per_sm = 2;  // as many as shared memory has room for

constexpr int element_bytes = 2;
constexpr int chunk_elems = 2;  // a chunk is what one lane copies: 4 bytes
constexpr int chunk_bytes = chunk_elems * element_bytes;
constexpr int row_chunks = head_dim / chunk_elems;
constexpr int row_bytes = head_dim * element_bytes;
constexpr int s_row_bytes = tile_cols * 4;
constexpr int o_row_bytes = head_dim * 4;

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

template <typename T>
__global__ void __launch_bounds__(warps * 32, ctas_per_sm)
    attention(const T* __restrict__ q,  // [batch, seqlen, heads, head_dim]
              const T* __restrict__ k,  // [batch, seqlen, heads, head_dim]
              const T* __restrict__ v,  // [batch, seqlen, heads, head_dim]
              T* __restrict__ o,        // [batch, seqlen, heads, head_dim]
              int seqlen, int heads) {
  const int row = threadIdx.x;  // of this thread in the query tile

  const int row_stride = heads * head_dim;  // in elements
  const int64_t head_offset = int64_t{blockIdx.z} * seqlen * row_stride + blockIdx.y * head_dim;
  const int64_t tile_offset = head_offset + int64_t{blockIdx.x} * tile_rows * row_stride;
  const T* k_gmem = k + head_offset;  // the K tile of this iteration
  const T* v_gmem = v + head_offset;

  const uint32_t q_smem = shared_base();
  const uint32_t kv_smem = q_smem + tile_rows * row_bytes;  // K and V take turns
  const uint32_t s_row_smem = kv_smem + tile_cols * row_bytes + row * s_row_bytes;
  const uint32_t o_row_smem = kv_smem + tile_cols * row_bytes + tile_rows * s_row_bytes + row * o_row_bytes;

  copy_tile<tile_rows>(q_smem, q + tile_offset, row_stride);

  float row_max = -INFINITY;
  float row_sum = 0;
  for (int chunk = 0; chunk < row_chunks; chunk++) st_shared_8(o_row_smem + chunk * 8, {0, 0});

  for (int kv_block = 0; kv_block < seqlen / tile_cols; kv_block++) {
    barrier();  // all threads are done with the last V
    copy_tile<tile_cols>(kv_smem, k_gmem, row_stride);
    barrier();  // Q and K are here for all threads

    // S = Q·Kᵀ
    float new_max = row_max;
    for (int key = 0; key < tile_cols; key++) {
      const float s = dot<T>(q_smem + smem_offset(row, 0), kv_smem + smem_offset(key, 0)) * softmax_scale_log2;
      st_shared_4(s_row_smem + key * 4, bits_of(s));
      new_max = fmaxf(new_max, s);
    }

    barrier();  // all threads are done with K
    copy_tile<tile_cols>(kv_smem, v_gmem, row_stride);
    barrier();  // V is here for all threads
    k_gmem += tile_cols * row_stride;
    v_gmem += tile_cols * row_stride;

    // Online softmax: with a new maximum, what was summed up so far shrinks by exp2(old maximum − new maximum).
    const float shrink = exp2_approx(row_max - new_max);
    row_max = new_max;
    row_sum *= shrink;
    for (int key = 0; key < tile_cols; key++) {
      const float p = exp2_approx(float_of(ld_shared_4(s_row_smem + key * 4)) - row_max);
      st_shared_4(s_row_smem + key * 4, bits_of(p));
      row_sum += p;
    }

    // O = O·shrink + P·V
    for (int chunk = 0; chunk < row_chunks; chunk++) {
      Pair sum = ld_shared_8(o_row_smem + chunk * 8);
      sum = {sum.low * shrink, sum.high * shrink};
#pragma unroll 4
      for (int key = 0; key < tile_cols; key++) {
        const float p = float_of(ld_shared_4(s_row_smem + key * 4));
        const Pair x = unpack2<T>(ld_shared_4(kv_smem + smem_offset(key, chunk)));
        sum.low += p * x.low;
        sum.high += p * x.high;
      }
      st_shared_8(o_row_smem + chunk * 8, sum);
    }
  }

  // O = O / row sum, through the place of Q, of which a thread reads its own row alone, so that O goes out as Q came
  // in.
  for (int chunk = 0; chunk < row_chunks; chunk++) {
    const Pair sum = ld_shared_8(o_row_smem + chunk * 8);
    st_shared_4(q_smem + smem_offset(row, chunk), pack2<T>(sum.low / row_sum, sum.high / row_sum));
  }
  barrier();  // a thread stores what others computed

  const int chunk = threadIdx.x % row_chunks;
#pragma unroll 8
  for (int r = threadIdx.x / row_chunks; r < tile_rows; r += warps * 32 / row_chunks) {
    st_global_4(o + tile_offset + r * row_stride + chunk * chunk_elems, ld_shared_4(q_smem + smem_offset(r, chunk)));
  }
}

const TileShape tile{.config = "64x64",
                     .tile_rows = tile_rows,
                     .tile_cols = tile_cols,
                     .threads = warps * 32,
                     .smem_bytes = (tile_rows + tile_cols) * row_bytes + tile_rows * (s_row_bytes + o_row_bytes),
                     .scalar = true};

const Registration registration(__FILE__, "neighbouring threads copy neighbouring bytes",
                                {variant<attention<fp16_t>>(tile), variant<attention<bf16_t>>(tile)});

}  // namespace
}  // namespace flash_steps
