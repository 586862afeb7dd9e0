// The mistakes that are made in the kernels of the primer.
#include "mutants/catalogue/replacement.h"

namespace flash_steps::mutants {
namespace {

constexpr int p = last_primer_kernel;

constexpr Replacement list[] = {
    {"row-off-by-one", "k_row += chunk_elems * row_stride;", "k_row += row_stride;", 1, 1},
    {"row-off-by-one", "v_row += chunk_elems * row_stride;", "v_row += row_stride;", 1, 1},
    {"row-off-by-one", "k_row += row_stride;", "k_row += 0;", 2, 2},
    {"row-off-by-one", "v_row += row_stride;", "v_row += 0;", 2, 2},
    {"row-off-by-one", "tile_gmem + row * row_stride", "tile_gmem + (row + 1) * row_stride", 3, 4},
    {"row-off-by-one", "(r + row) * row_stride", "(r + row + 1) * row_stride", 5, p},

    {"product-incomplete", "sum += x.high * y.high;", ";", 1, 7},
    {"product-incomplete", "sum.high += p * x.high;", ";", 3, 5},
    {"product-incomplete", "wmma_mma(s_frag, q_frag, k_frag);", "if (d > 0) wmma_mma(s_frag, q_frag, k_frag);", 8, 8},

    {"rescale-dropped", "row_sum = row_sum * shrink + p;", "row_sum = row_sum + p;", 2, 2},
    {"rescale-dropped", "* shrink + p * x.low", "+ p * x.low", 2, 2},
    {"rescale-dropped", "* shrink + p * x.high", "+ p * x.high", 2, 2},
    {"rescale-dropped", "exp2_approx(row_max - new_max) * row_sum", "row_sum", 3, 3},
    {"rescale-dropped", "* shrink;", ";", 3, 3},
    {"rescale-dropped", "row_sum *= shrink;", ";", 4, 5},
    {"rescale-dropped", "sum.low * shrink", "sum.low", 4, 5},
    {"rescale-dropped", "sum.high * shrink", "sum.high", 4, 5},
    {"rescale-dropped", "row_sum[r] = row_sum[r] * shrink[r]", "row_sum[r] = row_sum[r]", 6, 9},
    {"rescale-dropped", "o_regs[r][i] *= shrink[r];", ";", 6, 7},

    {"max-not-reduced", "fmaxf(row_max, fmaxf(x.low, x.high))", "fmaxf(row_max, x.low)", 1, 1},
    {"max-not-reduced", "max_of_warp(fmaxf(s0, s1))", "fmaxf(s0, s1)", 6, 10},
    {"max-not-reduced", "max_of_warp(fmaxf(s0, s1))", "max_of_warp(s0)", 6, 10},
    {"max-not-reduced", "max_of_quad(block_max)", "block_max", 11, p},
    {"max-not-reduced", "mask /= 2) value = fmaxf", "mask /= 4) value = fmaxf", 6, 10},
    {"max-not-reduced", "value = fmaxf(value, shfl_xor(value, 1));", ";", 11, p},

    {"max-starts-at-0", "= -INFINITY;", "= 0;", 1, p},
    {"running-max-dropped", "float new_max = row_max;", "float new_max = -INFINITY;", 3, 5},
    {"running-max-dropped", "fmaxf(row_max[r], max_of_warp(", "(max_of_warp(", 6, 10},
    {"sum-not-reduced", "mask /= 2) value +=", "mask /= 4) value +=", 6, 10},
    {"sum-not-reduced", "value += shfl_xor(value, 1);", ";", 11, p},

    {"scale-twice", "0.08838834764831845f", "0.08838834764831845f * 0.08838834764831845f", 1, p},

    {"last-block-skipped", "key += chunk_elems)", "key += 2 * chunk_elems)", 1, 1},
    {"last-block-skipped", "key < seqlen; key++", "key < seqlen - 1; key++", 2, 2},
    {"last-block-skipped", "kv_block < seqlen / tile_cols;", "kv_block < seqlen / tile_cols - 1;", 3, p},
    {"last-block-skipped", "q_block < seqlen / tile_rows;", "q_block < seqlen / tile_rows - 1;", 3, 3},
    {"last-block-skipped", "k_gmem += tile_cols * row_stride;", ";", 3, p},
    {"last-block-skipped", "v_gmem += tile_cols * row_stride;", ";", 3, p},
    {"state-forgotten", "kv_block > 0)", "kv_block > 1)", 3, 3},

    {"head-offset", "blockIdx.y * head_dim", "blockIdx.y * head_dim / 2", 1, p},
    {"batch-offset", "int64_t{blockIdx.z} * seqlen * row_stride", "int64_t{blockIdx.z} * (seqlen - 1) * row_stride", 1,
     p},
    {"row-offset", "blockIdx.x * threads + threadIdx.x", "blockIdx.x * threads / 2 + threadIdx.x", 1, 2},
    {"row-offset", "int64_t{blockIdx.x} * tile_rows", "int64_t{blockIdx.x} * (tile_rows / 2)", 4, p},
    {"workspace-shared", "int64_t{blockIdx.z} * heads + blockIdx.y", "int64_t{blockIdx.z} * heads", 1, 3, true},
    {"offset-32-bit", "int64_t{blockIdx.z} * seqlen * row_stride",
     "int64_t{static_cast<int32_t>(int64_t{blockIdx.z} * seqlen * row_stride)}", 1, p},

    {"smem-bytes", "(tile_rows + 2 * tile_cols) * row_bytes", "(tile_rows + 3 * tile_cols) * row_bytes", 3, p, true},
    {"smem-bytes", "(tile_rows + 2 * tile_cols) * row_bytes", "(tile_rows + tile_cols) * row_bytes", 3, p, true},
    {"smem-bytes", "(tile_rows + tile_cols) * row_bytes", "(tile_rows + 2 * tile_cols) * row_bytes", 4, 5},
    {"smem-bytes", "(tile_rows + tile_cols) * row_bytes", "tile_rows * row_bytes", 4, 5},

    {"division-dropped", "/ row_sum;", ";", 1, 1},
    {"p-order", "pack2<T>(p0, p1)", "pack2<T>(p1, p0)", 1, p, true},
    {"p-order", "c * 2 + i / 2", "c * 2 + i % 2", 11, p},
};

}  // namespace

std::span<const Replacement> primer_replacements() { return list; }

}  // namespace flash_steps::mutants
