// 22_overlap: the next S is computed while this one becomes P.
//
// Changed since 21_producer: Q·Kᵀ of the next block is started before P·V of this one, and both run while the
// exponentials of the next block are computed.
//
// What to look at: WARPGROUP.DEPBAR with 1 behind the products, and with 0 behind the exponentials.

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
constexpr int stages = 2;  // of K and V

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

// The mbarriers, each with its stages.
enum Barrier { q_full, k_full, k_empty, v_full, v_empty, barriers };

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
              const __grid_constant__ TensorMap k_map, const __grid_constant__ TensorMap v_map, T* __restrict__ o,
              int seqlen, int heads) {
  const int warpgroup = static_cast<int>(threadIdx.x / warpgroup_threads) - 1;  // −1: the one that copies
  const int warp = threadIdx.x / 32 - warpgroup_threads / 32;                   // of those that multiply
  const int lane = threadIdx.x % 32;

  const int64_t row_stride = int64_t{heads} * head_dim;  // in elements
  const int64_t head_offset = int64_t{blockIdx.z} * seqlen * row_stride + blockIdx.y * head_dim;
  const int64_t tile_offset = head_offset + int64_t{blockIdx.x} * tile_rows * row_stride;
  const int last_block = seqlen / tile_cols - 1;

  const uint32_t q_smem = shared_base();
  const uint32_t k_smem = q_smem + tile_bytes;
  const uint32_t v_smem = k_smem + stages * tile_bytes;
  const uint32_t barrier_smem = v_smem + stages * tile_bytes;
  const uint32_t own_q_smem = q_smem + warpgroup * tile_bytes / warpgroups;  // a tile of 64 rows for each warpgroup

  // Block number n, counted from the first one that is attended to, has stage n % stages, for the n / stages-th time.
  const auto place = [](uint32_t first_smem, int n) { return first_smem + n % stages * tile_bytes; };
  const auto at = [&](Barrier which, int n) { return barrier_smem + (which * stages + n % stages) * 8; };
  const auto parity = [](int n) { return n / stages % 2; };

  if (threadIdx.x == 0) {
    for (int stage = 0; stage < stages; stage++) {
      for (const Barrier full : {q_full, k_full, v_full}) mbarrier_init(at(full, stage), 1);
      for (const Barrier empty : {k_empty, v_empty}) mbarrier_init(at(empty, stage), warpgroups);
    }
    mbarrier_init_fence();
  }
  barrier();  // the mbarriers are there for all

  if (warpgroup < 0) {
    setmaxnreg_dec<24>();
    if (threadIdx.x < 32 && elect_one()) {
      const auto load = [&](const TensorMap& map, uint32_t to_smem, Barrier full, Barrier empty, int n) {
        mbarrier_wait(at(empty, n), parity(n) ^ 1);  // passes at once for the first use of a stage
        mbarrier_arrive_expect_tx(at(full, n), tile_bytes);
        tma_load(place(to_smem, n), map, 0, (last_block - n) * tile_cols, 0, blockIdx.y, blockIdx.z, at(full, n));
      };
      mbarrier_arrive_expect_tx(at(q_full, 0), tile_bytes);
#pragma unroll
      for (int w = 0; w < warpgroups; w++) {
        tma_load(q_smem + w * tile_bytes / warpgroups, q_map, 0, blockIdx.x * tile_rows + w * warpgroup_rows, 0,
                 blockIdx.y, blockIdx.z, at(q_full, 0));
      }
      for (int n = 0; n <= last_block; n++) {
        load(k_map, k_smem, k_full, k_empty, n);
        load(v_map, v_smem, v_full, v_empty, n);
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

  const auto release = [&](Barrier empty, int n) {
    if (threadIdx.x % warpgroup_threads == 0) mbarrier_arrive(at(empty, n));
  };
  // S = Q·Kᵀ, started
  const auto multiply_qk = [&](int n) {
    const uint64_t q_desc = descriptor(own_q_smem, 0, 8 * half_row_bytes);
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
        shrink[half] = exp2_approx(row_max[half] - new_max);
        row_sum[half] *= shrink[half];
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

#pragma unroll
  for (int n = 0; n < dim_frags * 2; n++) {
#pragma unroll
    for (int e = 0; e < 4; e++) o_regs[n][e] = 0;
  }
  mbarrier_wait(at(q_full, 0), 0);
  multiply_qk(0);
  wgmma_wait<0>(s_regs);
  release(k_empty, 0);
  softmax(std::true_type{});
  pack_p();
  for (int n = 0; n < last_block; n++) {
    multiply_qk(n + 1);
    multiply_pv(n);
    wgmma_wait<1>(s_regs);
    release(k_empty, n + 1);
    softmax(std::false_type{});
    // ptxas would wait for O before it computes the exponentials. It does not pass a store, and this one, which is
    // never made, needs their sum.
    if (late_wait && row_sum[0] + row_sum[1] < 0) st_shared_4(barrier_smem, 0);
    wgmma_wait<0>(o_regs);
    release(v_empty, n);
    rescale_o();
    pack_p();
  }
  multiply_pv(last_block);
  wgmma_wait<0>(o_regs);

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
                        .smem_bytes = (1 + 2 * stages) * tile_bytes + barriers * stages * 8},
               .dtype = dtype_of<T>(),
               .needs = {9, 0, true}};
  made.plan = [tile = made.tile](const Problem& problem, const Tensors& tensors) {
    const auto map = [&](const void* base, int rows) { return tensors.tensor_map(boxes(base, problem, rows)); };
    return std::vector{launch<attention<T, late_wait>>({problem.seqlen / tile_rows, problem.heads, problem.batch},
                                                       tile.threads, tile.smem_bytes, map(tensors.q, warpgroup_rows),
                                                       map(tensors.k, tile_cols), map(tensors.v, tile_cols),
                                                       static_cast<T*>(tensors.o), problem.seqlen, problem.heads)};
  };
  return made;
}

const Registration registration(__FILE__, "the next S is computed while this one becomes P",
                                variants<true, false>([]<typename T, bool late_wait>() {
                                  return variant_of<T, late_wait>();
                                }));

}  // namespace
}  // namespace flash_steps
