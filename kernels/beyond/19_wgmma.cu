// 19_wgmma: the tensor core reads shared memory by itself.
//
// Changed since 17_lazy_rescale: the products are Hopper's. A warpgroup, four warps, multiplies 64 rows by 128 columns
// in one instruction, which takes its operands from shared memory, is waited for later, and needs no ldmatrix. The
// tiles of 15 fit as they are. O is rescaled in each block again; 25 comes back to that.
//
// What to look at: HGMMA instead of HMMA, and no LDSM.

#include "harness/contract/kernel.h"
#include "isa.cuh"
#include "isa_sm90.cuh"

namespace flash_steps {
namespace {

constexpr int head_dim = 128;
constexpr int tile_rows = 128;  // query rows of a CTA
constexpr int tile_cols = 128;  // key and value rows of one iteration
constexpr int warpgroup_threads = 128;
constexpr int warpgroups = 2;  // that multiply
constexpr int warpgroup_rows = tile_rows / warpgroups;
constexpr int threads = warpgroups * warpgroup_threads;

constexpr int element_bytes = 2;
constexpr int chunk_elems = 8;  // a chunk is what the swizzle moves: 16 bytes
constexpr int chunk_bytes = chunk_elems * element_bytes;
constexpr int row_chunks = head_dim / chunk_elems;
constexpr int half_chunks = row_chunks / 2;  // a tile is two halves, each 64 columns wide
constexpr int half_row_bytes = half_chunks * chunk_bytes;
constexpr int tile_bytes = 128 * head_dim * element_bytes;  // of Q, K, V and O

// A warpgroup multiplies 64×16 by 16×128.
constexpr int dim_frags = head_dim / 16;   // of Q, K, V and O, along head_dim: the k-slices of Q·Kᵀ
constexpr int col_frags = tile_cols / 16;  // of K, V, S and P, along the keys: the k-slices of P·V

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
  constexpr int rows_at_once = threads / half_chunks;
#pragma unroll
  for (int r = 0; r < rows; r += rows_at_once) {
    const T* from_gmem = thread_gmem + r * row_stride;
    cp_async_16_prefetch_128(thread_smem + r * half_row_bytes, from_gmem);
    cp_async_16_prefetch_128(thread_smem + (rows + r) * half_row_bytes, from_gmem + head_dim / 2);
  }
}

// How far a k-slice is from the first, in the units of a descriptor, 16 bytes: of a tile with k along its rows, four
// slices fill a row of a half; of one with k across them, a slice is sixteen rows.
template <int rows>
__device__ __forceinline__ constexpr int slice_along(int slice) {
  return (slice / 4 * rows * half_row_bytes + slice % 4 * 2 * chunk_bytes) / 16;
}

__device__ __forceinline__ constexpr int slice_across(int slice) { return slice * 16 * half_row_bytes / 16; }

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
__global__ void __launch_bounds__(threads, 1) attention(const T* __restrict__ q,  // [batch, seqlen, heads, head_dim]
                                                        const T* __restrict__ k,  // [batch, seqlen, heads, head_dim]
                                                        const T* __restrict__ v,  // [batch, seqlen, heads, head_dim]
                                                        T* __restrict__ o,        // [batch, seqlen, heads, head_dim]
                                                        int seqlen, int heads) {
  const int warpgroup = threadIdx.x / warpgroup_threads;
  const int warp = threadIdx.x / 32;
  const int lane = threadIdx.x % 32;

  const int64_t row_stride = int64_t{heads} * head_dim;  // in elements
  const int64_t head_offset = int64_t{blockIdx.z} * seqlen * row_stride + blockIdx.y * head_dim;
  const int64_t tile_offset = head_offset + int64_t{blockIdx.x} * tile_rows * row_stride;
  const int copy_row = threadIdx.x / half_chunks;
  const int copy_chunk = threadIdx.x % half_chunks;
  const int64_t copy_offset = copy_row * row_stride + copy_chunk * chunk_elems;
  const T* k_gmem = k + head_offset + copy_offset;  // this thread's part of the first K tile
  const T* v_gmem = v + head_offset + copy_offset;
  const int64_t block_stride = tile_cols * row_stride;
  const int last_block = seqlen / tile_cols - 1;

  const uint32_t q_smem = shared_base();
  const uint32_t k_smem = q_smem + tile_bytes;
  const uint32_t v_smem = k_smem + tile_bytes;
  const uint32_t copy_smem = smem_offset<tile_cols>(copy_row, copy_chunk);   // in the left half: fits every tile
  const uint32_t own_q_smem = q_smem + warpgroup * tile_bytes / warpgroups;  // a tile of 64 rows for each warpgroup

#pragma unroll
  for (int w = 0; w < warpgroups; w++) {
    copy_tile_async<warpgroup_rows>(q_smem + w * tile_bytes / warpgroups + copy_smem,
                                    q + tile_offset + w * warpgroup_rows * row_stride + copy_offset, row_stride);
  }
  copy_tile_async<tile_cols>(k_smem + copy_smem, k_gmem + last_block * block_stride, row_stride);
  cp_async_commit();

  // A lane holds two rows of S and O: lane / 4 and lane / 4 + 8 of its warp's sixteen.
  float row_max[2];  // times softmax_scale_log2
  float row_sum[2];  // of this lane's columns; summed over the quad at the end
  float s_regs[col_frags * 2][4];
  uint32_t p_regs[col_frags][4];
  float o_regs[dim_frags * 2][4];

  // S = Q·Kᵀ, started
  const auto multiply_qk = [&] {
    const uint64_t q_desc = descriptor(own_q_smem, 0, 8 * half_row_bytes);
    const uint64_t k_desc = descriptor(k_smem, 0, 8 * half_row_bytes);
    wgmma_fence();
#pragma unroll
    for (int d = 0; d < dim_frags; d++) {
      wgmma_m64n128k16<T>(s_regs, q_desc + slice_along<warpgroup_rows>(d), k_desc + slice_along<tile_cols>(d), d > 0);
    }
    wgmma_commit();
  };
  // O += P·V, started
  const auto multiply_pv = [&] {
    const uint64_t v_desc = descriptor(v_smem, tile_cols * half_row_bytes, 8 * half_row_bytes);
    wgmma_fence();
#pragma unroll
    for (int c = 0; c < col_frags; c++) wgmma_m64n128k16_trans<T>(o_regs, p_regs[c], v_desc + slice_across(c));
    wgmma_commit();
  };

  // Online softmax: with a new maximum, what was summed up so far shrinks by exp2(old maximum − new maximum).
  const auto softmax = [&](auto is_first) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float block_max = fmaxf(s_regs[0][half * 2], s_regs[0][half * 2 + 1]);
#pragma unroll
      for (int n = 1; n < col_frags * 2; n++) {
        block_max = fmaxf(block_max, fmaxf(s_regs[n][half * 2], s_regs[n][half * 2 + 1]));
      }
      float new_max = max_of_quad(block_max) * softmax_scale_log2;
      if constexpr (is_first) {
        row_sum[half] = 0;
      } else {
        new_max = fmaxf(row_max[half], new_max);
        const float shrink = exp2_approx(row_max[half] - new_max);
        row_sum[half] *= shrink;
#pragma unroll
        for (int n = 0; n < dim_frags * 2; n++) {
          o_regs[n][half * 2] *= shrink;
          o_regs[n][half * 2 + 1] *= shrink;
        }
      }
      row_max[half] = new_max;
    }
#pragma unroll
    for (int n = 0; n < col_frags * 2; n++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        float* s = &s_regs[n][half * 2];
        s[0] = exp2_approx(fmaf(s[0], softmax_scale_log2, -row_max[half]));
        s[1] = exp2_approx(fmaf(s[1], softmax_scale_log2, -row_max[half]));
        row_sum[half] += s[0] + s[1];
      }
    }
  };
  // Two accumulators of S, eight columns each, are one left operand of sixteen.
  const auto pack_p = [&] {
#pragma unroll
    for (int c = 0; c < col_frags; c++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const float* s = &s_regs[c * 2 + i / 2][i % 2 * 2];
        p_regs[c][i] = pack2<T>(s[0], s[1]);
      }
    }
  };

#pragma unroll
  for (int n = 0; n < dim_frags * 2; n++) {
#pragma unroll
    for (int e = 0; e < 4; e++) o_regs[n][e] = 0;
  }
  const auto attend = [&](auto is_first, int kv_block) {
    cp_async_wait<0>();
    proxy_fence();  // the tensor core reads by another path than cp.async writes
    barrier();      // Q and K are here for all warps, and all warps are done with the last V
    copy_tile_async<tile_cols>(v_smem + copy_smem, v_gmem + kv_block * block_stride, row_stride);
    cp_async_commit();
    multiply_qk();
    wgmma_wait<0>(s_regs);

    cp_async_wait<0>();
    proxy_fence();
    barrier();  // V is here for all warps, and all warps are done with K
    if (kv_block > 0) {
      copy_tile_async<tile_cols>(k_smem + copy_smem, k_gmem + (kv_block - 1) * block_stride, row_stride);
      cp_async_commit();
    }
    softmax(is_first);
    pack_p();
    multiply_pv();
    wgmma_wait<0>(o_regs);
  };
  attend(std::true_type{}, last_block);
  for (int kv_block = last_block - 1; kv_block >= 0; kv_block--) attend(std::false_type{}, kv_block);

  // O = O / row sum, through shared memory: a lane holds 4 bytes here and 4 bytes there, but stores 16 at once. Each
  // warp writes and reads its own rows, and nobody reads them as Q any more.
  const int warp_row = warp % 4 * 16;  // first row of this warp among those of its warpgroup
#pragma unroll
  for (int half = 0; half < 2; half++) {
    const float scale = 1.0f / sum_of_quad(row_sum[half]);
#pragma unroll
    for (int n = 0; n < dim_frags * 2; n++) {
      const uint32_t pair = pack2<T>(o_regs[n][half * 2] * scale, o_regs[n][half * 2 + 1] * scale);
      const int row = warp_row + lane / 4 + half * 8;
      st_shared_4(own_q_smem + smem_offset<warpgroup_rows>(row, n) + lane % 4 * 4, pair);
    }
  }
  warp_barrier();  // a lane stores what other lanes of its warp computed

#pragma unroll
  for (int r = 0; r < 16; r += 2) {
    const int row = warp_row + r + lane / row_chunks;
    const int chunk = lane % row_chunks;
    st_global_16_no_allocate(o + tile_offset + (warpgroup * warpgroup_rows + row) * row_stride + chunk * chunk_elems,
                             ld_shared_16(own_q_smem + smem_offset<warpgroup_rows>(row, chunk)));
  }
}

template <typename T>
Variant variant_of() {
  Variant made = variant<attention<T>>({.config = text(tile_rows, "x", tile_cols),
                                        .tile_rows = tile_rows,
                                        .tile_cols = tile_cols,
                                        .threads = threads,
                                        .smem_bytes = 3 * tile_bytes});
  made.needs = {9, 0, true};
  return made;
}

const Registration registration(__FILE__, "the tensor core reads shared memory by itself",
                                {variant_of<fp16_t>(), variant_of<bf16_t>()});

}  // namespace
}  // namespace flash_steps
