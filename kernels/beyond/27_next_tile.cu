// 27_next_tile: a tile begins behind the last products of the tile before.
//
// Changed since 26_lazy_reduction: the first Q·Kᵀ of a CTA's next tile is started before the last P·V of this one, and
// its softmax runs beside that.
//
// What to look at: the time at short sequences, where a tile has few blocks and its ends count.

#include <algorithm>

#include "harness/contract/kernel.h"
#include "isa.cuh"
#include "isa_sm90.cuh"

namespace flash_steps {
namespace {

constexpr int head_dim = 128;
constexpr int tile_rows = 128;  // query rows of a CTA
constexpr int tile_cols = 128;  // key and value rows of one iteration
constexpr int warpgroup_threads = 128;
constexpr int warpgroups = 2;  // that multiply; one more copies
constexpr int warpgroup_rows = tile_rows / warpgroups;
constexpr int threads = warpgroup_threads + warpgroups * warpgroup_threads;
constexpr int stages = 2;     // of Q, K and V
constexpr int threshold = 8;  // that a row's maximum must grow by before the warp rescales, in log2 units

constexpr int element_bytes = 2;
constexpr int chunk_elems = 8;  // a chunk is what the swizzle moves: 16 bytes
constexpr int chunk_bytes = chunk_elems * element_bytes;
constexpr int row_chunks = head_dim / chunk_elems;
constexpr int half_chunks = row_chunks / 2;  // a tile is two halves, each 64 columns wide
constexpr int half_row_bytes = half_chunks * chunk_bytes;
constexpr int tile_bytes = 128 * head_dim * element_bytes;  // of Q, K, V and O
constexpr int warp_rows = 16;                               // of O, that a warp stores

// A warpgroup multiplies 64×16 by 16×128.
constexpr int dim_frags = head_dim / 16;   // of Q, K, V and O, along head_dim: the k-slices of Q·Kᵀ
constexpr int col_frags = tile_cols / 16;  // of K, V, S and P, along the keys: the k-slices of P·V

// exp(x) = exp2(x·log2(e)), and exp2 is one instruction.
constexpr float softmax_scale_log2 = 0.08838834764831845f * 1.4426950408889634f;  // 1/√head_dim · log2(e)

// The mbarriers, each with its stages.
enum Barrier { q_full, q_empty, k_full, k_empty, v_full, v_empty, barriers };

// Where a chunk lies in a tile in shared memory, in bytes.
template <int rows>
__device__ __forceinline__ uint32_t smem_offset(int row, int chunk) {
  return (chunk / half_chunks * rows + row) * half_row_bytes + (chunk % half_chunks ^ row % 8) * chunk_bytes;
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

template <typename T, bool late_wait>
__global__ void __launch_bounds__(threads, 1)
    attention(const __grid_constant__ TensorMap q_map,  // [batch, seqlen, heads, head_dim], and so are the others
              const __grid_constant__ TensorMap k_map, const __grid_constant__ TensorMap v_map,
              const __grid_constant__ TensorMap o_map, int seqlen, int heads, int tiles) {
  const int warpgroup = static_cast<int>(threadIdx.x / warpgroup_threads) - 1;  // −1: the one that copies
  const int warp = threadIdx.x / 32 - warpgroup_threads / 32;                   // of those that multiply
  const int lane = threadIdx.x % 32;
  const int last_block = seqlen / tile_cols - 1;

  const uint32_t q_smem = shared_base();
  const uint32_t k_smem = q_smem + stages * tile_bytes;
  const uint32_t v_smem = k_smem + stages * tile_bytes;
  const uint32_t o_smem = v_smem + stages * tile_bytes;
  const uint32_t barrier_smem = o_smem + tile_bytes;

  // Block or tile number n of this CTA has stage n % stages, for the n / stages-th time.
  const auto place = [](uint32_t first_smem, int n) { return first_smem + n % stages * tile_bytes; };
  const auto at = [&](Barrier which, int n) { return barrier_smem + (which * stages + n % stages) * 8; };
  const auto parity = [](int n) { return n / stages % 2; };

  if (threadIdx.x == 0) {
    for (int stage = 0; stage < stages; stage++) {
      for (const Barrier full : {q_full, k_full, v_full}) mbarrier_init(at(full, stage), 1);
      for (const Barrier empty : {q_empty, k_empty, v_empty}) mbarrier_init(at(empty, stage), warpgroups);
    }
    mbarrier_init_fence();
  }
  barrier();  // the mbarriers are there for all

  if (warpgroup < 0) {
    setmaxnreg_dec<24>();
    if (threadIdx.x < 32 && elect_one()) {
      int n = 0;
      for (int tile = blockIdx.x, m = 0; tile < tiles; tile += gridDim.x, m++) {
        const int row_tiles = last_block + 1;
        const int head = tile / row_tiles % heads;
        const int batch = tile / row_tiles / heads;
        const auto load = [&](const TensorMap& map, uint32_t to_smem, Barrier full, Barrier empty, int kv_block) {
          mbarrier_wait(at(empty, n), parity(n) ^ 1);  // passes at once for the first use of a stage
          mbarrier_arrive_expect_tx(at(full, n), tile_bytes);
          tma_load(place(to_smem, n), map, 0, kv_block * tile_cols, 0, head, batch, at(full, n));
        };
        mbarrier_wait(at(q_empty, m), parity(m) ^ 1);
        mbarrier_arrive_expect_tx(at(q_full, m), tile_bytes);
#pragma unroll
        for (int w = 0; w < warpgroups; w++) {
          tma_load(place(q_smem, m) + w * tile_bytes / warpgroups, q_map, 0,
                   tile % row_tiles * tile_rows + w * warpgroup_rows, 0, head, batch, at(q_full, m));
        }
        for (int kv_block = last_block; kv_block >= 0; kv_block--, n++) {
          load(k_map, k_smem, k_full, k_empty, kv_block);
          load(v_map, v_smem, v_full, v_empty, kv_block);
        }
      }
    }
    return;
  }
  setmaxnreg_inc<240>();

  // A lane holds two rows of S and O: lane / 4 and lane / 4 + 8 of its warp's sixteen.
  float row_max[2];  // times softmax_scale_log2
  float row_sum[2];  // of this lane's columns; summed over the quad at the end
  float s_regs[col_frags * 2][4];
  uint32_t p_regs[col_frags][4];
  float o_regs[dim_frags * 2][4];
  float shrink[2];
  bool rescale;

  const auto release = [&](Barrier empty, int n) {
    if (threadIdx.x % warpgroup_threads == 0) mbarrier_arrive(at(empty, n));
  };
  // S = Q·Kᵀ, started
  const auto multiply_qk = [&](int m, int n) {
    const uint64_t q_desc = descriptor(place(q_smem, m) + warpgroup * tile_bytes / warpgroups, 0, 8 * half_row_bytes);
    const uint64_t k_desc = descriptor(place(k_smem, n), 0, 8 * half_row_bytes);
    mbarrier_wait(at(k_full, n), parity(n));
    wgmma_fence();
#pragma unroll
    for (int d = 0; d < dim_frags; d++) {
      wgmma_m64n128k16<T>(s_regs, q_desc + slice_along<warpgroup_rows>(d), k_desc + slice_along<tile_cols>(d), d > 0);
    }
    wgmma_commit();
  };
  // O += P·V, started
  const auto multiply_pv = [&](int n) {
    const uint64_t v_desc = descriptor(place(v_smem, n), tile_cols * half_row_bytes, 8 * half_row_bytes);
    mbarrier_wait(at(v_full, n), parity(n));
    wgmma_fence();
#pragma unroll
    for (int c = 0; c < col_frags; c++) wgmma_m64n128k16_trans<T>(o_regs, p_regs[c], v_desc + slice_across(c));
    wgmma_commit();
  };

  // Online softmax: with a new maximum, what was summed up so far shrinks by exp2(old maximum − new maximum).
  const auto softmax = [&](auto is_first) {
    float new_max[2];  // of this lane's columns
    bool grew = is_first;
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float block_max = fmaxf(s_regs[0][half * 2], s_regs[0][half * 2 + 1]);
#pragma unroll
      for (int n = 1; n < col_frags * 2; n++) {
        block_max = fmaxf(block_max, fmaxf(s_regs[n][half * 2], s_regs[n][half * 2 + 1]));
      }
      if constexpr (!is_first) grew |= fmaf(block_max, softmax_scale_log2, -row_max[half]) > threshold;
      new_max[half] = block_max;
    }
    if constexpr (!is_first) rescale = any_of_warp(grew);
#pragma unroll
    for (int half = 0; half < 2; half++) {
      if (!is_first && !rescale) continue;
      new_max[half] = max_of_quad(new_max[half]) * softmax_scale_log2;
      if constexpr (is_first) {
        row_sum[half] = 0;
      } else {
        new_max[half] = fmaxf(row_max[half], new_max[half]);
        shrink[half] = exp2_approx(row_max[half] - new_max[half]);
        row_sum[half] *= shrink[half];
      }
      row_max[half] = new_max[half];
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
  const auto rescale_o = [&] {
#pragma unroll
    for (int n = 0; n < dim_frags * 2; n++) {
#pragma unroll
      for (int e = 0; e < 4; e++) o_regs[n][e] *= shrink[e / 2];
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

  // O = O / row sum, through a place of its own.
  const auto store_o = [&](int tile, const float(&sum)[2]) {
    const uint32_t warp_smem = o_smem + warp * warp_rows * head_dim * element_bytes;
    const float scale[2] = {1.0f / sum_of_quad(sum[0]), 1.0f / sum_of_quad(sum[1])};
    tma_store_wait_read<0>();  // the last tile's O has been read ...
    warp_barrier();            // ... and all lanes know
#pragma unroll
    for (int d = 0; d < dim_frags; d++) {
      uint32_t regs[4];
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const float* pair = &o_regs[d * 2 + i / 2][i % 2 * 2];
        regs[i] = pack2<T>(pair[0] * scale[i % 2], pair[1] * scale[i % 2]);
      }
      stmatrix_x4(warp_smem + smem_offset<warp_rows>(lane % 16, d * 2 + lane / 16), regs);
    }
    proxy_fence();   // the TMA unit reads by another path than stmatrix writes
    warp_barrier();  // it reads what all lanes of the warp wrote
    if (elect_one()) {
      const int row_tiles = last_block + 1;
      tma_store(o_map, 0, tile % row_tiles * tile_rows + warp * warp_rows, 0, tile / row_tiles % heads,
                tile / row_tiles / heads, warp_smem);
      tma_store_commit();
    }
  };

  int m = 0;
  int n = 0;
  // The blocks of tile number m of this CTA, of which the first is P already, but for the last block's P·V.
  const auto attend = [&] {
#pragma unroll
    for (int i = 0; i < dim_frags * 2; i++) {
#pragma unroll
      for (int e = 0; e < 4; e++) o_regs[i][e] = 0;
    }
    pack_p();
    for (int kv_block = last_block; kv_block > 0; kv_block--, n++) {
      multiply_qk(m, n + 1);
      multiply_pv(n);
      wgmma_wait<1>(s_regs);
      release(k_empty, n + 1);
      softmax(std::false_type{});
      // ptxas would wait for O before it computes the exponentials. It does not pass a store, and this one, which is
      // never made, needs their sum.
      if (late_wait && row_sum[0] + row_sum[1] < 0) st_shared_4(barrier_smem, 0);
      wgmma_wait<0>(o_regs);
      release(v_empty, n);
      if (rescale) rescale_o();
      pack_p();
    }
    release(q_empty, m);
  };
  mbarrier_wait(at(q_full, m), parity(m));
  multiply_qk(m, n);
  wgmma_wait<0>(s_regs);
  release(k_empty, n);
  softmax(std::true_type{});
  // The last tile is by itself: with a way out of the middle of the loop, ptxas takes m and n for different in each
  // lane.
  const int my_tiles = (tiles - 1 - static_cast<int>(blockIdx.x)) / static_cast<int>(gridDim.x) + 1;
  for (; m < my_tiles - 1; m++, n++) {
    attend();
    const float sum[2] = {row_sum[0], row_sum[1]};
    mbarrier_wait(at(q_full, m + 1), parity(m + 1));
    multiply_qk(m + 1, n + 1);
    multiply_pv(n);
    wgmma_wait<1>(s_regs);
    release(k_empty, n + 1);
    softmax(std::true_type{});
    if (late_wait && row_sum[0] + row_sum[1] < 0) st_shared_4(barrier_smem, 0);
    wgmma_wait<0>(o_regs);
    release(v_empty, n);
    store_o(blockIdx.x + m * gridDim.x, sum);
  }
  attend();
  multiply_pv(n);
  wgmma_wait<0>(o_regs);
  release(v_empty, n);
  store_o(blockIdx.x + m * gridDim.x, row_sum);
  tma_store_wait_read<0>();  // shared memory must last as long
}

// Q, K, V or O as [batch, heads, 2, seqlen, head_dim / 2], in boxes of so many rows of one head.
TensorMapShape boxes(const void* base, const Problem& problem, uint32_t rows) {
  const uint64_t row_bytes = uint64_t(problem.heads) * head_dim * element_bytes;
  return {.base = base,
          .sizes = {head_dim / 2, uint64_t(problem.seqlen), 2, uint64_t(problem.heads), uint64_t(problem.batch)},
          .strides = {row_bytes, half_row_bytes, head_dim * element_bytes, problem.seqlen * row_bytes},
          .box = {head_dim / 2, rows, 2, 1, 1}};
}

template <typename T, bool late_wait>
Variant variant_of() {
  Variant made{.tile = {.config = text(tile_rows, "x", tile_cols, late_wait ? "_late" : ""),
                        .tile_rows = tile_rows,
                        .tile_cols = tile_cols,
                        .threads = threads,
                        .smem_bytes = (3 * stages + 1) * tile_bytes + barriers * stages * 8},
               .dtype = dtype_of<T>(),
               .needs = {9, 0, true}};
  made.plan = [tile = made.tile](const Problem& problem, const Tensors& tensors) {
    const auto map = [&](const void* base, int rows) { return tensors.tensor_map(boxes(base, problem, rows)); };
    const int tiles = problem.seqlen / tile_rows * problem.heads * problem.batch;
    return std::vector{launch<attention<T, late_wait>>({std::min(tiles, tensors.sms)}, tile.threads, tile.smem_bytes,
                                                       map(tensors.q, warpgroup_rows), map(tensors.k, tile_cols),
                                                       map(tensors.v, tile_cols), map(tensors.o, warp_rows),
                                                       problem.seqlen, problem.heads, tiles)};
  };
  return made;
}

const Registration registration(__FILE__, "a tile begins behind the last products of the one before",
                                variants<false, true>([]<typename T, bool late_wait>() {
                                  return variant_of<T, late_wait>();
                                }));

}  // namespace
}  // namespace flash_steps
