// The mistakes that are made in the kernels with Hopper's instructions.
#include "mutants/catalogue/replacement.h"

namespace flash_steps::mutants {
namespace {

constexpr int h = last_hopper_kernel;

constexpr Replacement list[] = {
    {"wait-weakened", "cp_async_wait<0>();", "cp_async_wait<1>();", 19, 19},
    {"wait-removed", "cp_async_wait<0>();", ";", 19, 19},
    {"barrier-removed", "  barrier();", "  ;", 19, h},
    {"barrier-removed", "warp_barrier();", ";", 19, h},
    {"commit-removed", "cp_async_commit();", ";", 19, 19},
    {"commit-removed", "wgmma_commit();", ";", 19, h},
    {"commit-removed", "tma_store_commit();", ";", 23, h},
    {"swizzle-one-side", "(copy_row, copy_chunk)", "(copy_row, copy_chunk ^ copy_row % 8)", 19, 19},
    {"swizzle-one-side", "<warpgroup_rows>(row, chunk)", "<warpgroup_rows>(row, chunk ^ row % 8)", 19, 22},
    {"swizzle-one-side", "(lane % 16, d * 2 + lane / 16)", "(lane % 16, d * 2 + lane / 16 ^ lane % 8)", 23, h},
    {"row-off-by-one", "= copy_row * row_stride", "= (copy_row + 1) * row_stride", 19, 19},

    {"rescale-dropped", "o_regs[n][half * 2] *= shrink;", ";", 19, 21},
    {"rescale-dropped", "o_regs[n][half * 2 + 1] *= shrink;", ";", 19, 21},
    {"rescale-dropped", "row_sum[half] *= shrink;", ";", 19, 21},
    {"rescale-dropped", "row_sum[half] *= shrink[half];", ";", 22, h},
    {"rescale-dropped", "o_regs[n][e] *= shrink[e / 2];", ";", 22, h},
    {"max-not-reduced", "max_of_quad(block_max)", "block_max", 19, 25},
    {"max-not-reduced", "max_of_quad(new_max[half])", "new_max[half]", 26, h},
    {"max-of-half-the-keys", "for (int n = 1; n < col_frags * 2; n++)", "for (int n = 1; n < col_frags; n++)", 19, h},
    {"max-clamped-at-0", "max_of_quad(block_max)", "fmaxf(0, max_of_quad(block_max))", 19, 25},
    {"max-clamped-at-0", "max_of_quad(new_max[half])", "fmaxf(0, max_of_quad(new_max[half]))", 26, h},
    {"running-max-dropped", "new_max = fmaxf(row_max[half], new_max);", ";", 19, 24},
    {"running-max-dropped", "new_max[half] = fmaxf(row_max[half], new_max[half]);", ";", 25, h},
    {"growth-missed", "grew |= new_max", "grew = new_max", 25, 25},
    {"growth-missed", "grew |= fmaf", "grew = fmaf", 26, h},
    {"growth-missed", "> threshold;", "> 8 * threshold + 64;", 25, h},
    {"growth-missed", "any_of_warp(grew)", "any_of_warp(false)", 25, h},
    {"sum-not-reduced", "return value + shfl_xor(value, 2);", "return value;", 19, h},
    {"scale-twice", "0.08838834764831845f", "0.08838834764831845f * 0.08838834764831845f", 19, h},
    {"scale-twice", "(block_max) * softmax_scale_log2", "(block_max) * softmax_scale_log2 * softmax_scale_log2", 19,
     25},
    {"scale-twice", "half]) * softmax_scale_log2", "half]) * softmax_scale_log2 * softmax_scale_log2", 26, h},
    {"sum-of-the-next-tile", "gridDim.x, sum)", "gridDim.x, row_sum)", 27, h},
    {"last-block-skipped", "last_block = seqlen / tile_cols - 1", "last_block = seqlen / tile_cols - 2", 19, h},
    {"smem-bytes", "3 * tile_bytes}", "4 * tile_bytes}", 19, 19},
    {"smem-bytes", "(1 + 2 * stages) * tile_bytes", "2 * stages * tile_bytes", 20, 23},
    {"smem-bytes", "(3 * stages + 1) * tile_bytes", "3 * stages * tile_bytes", 24, h},
    {"p-order", "pack2<T>(s[0], s[1])", "pack2<T>(s[1], s[0])", 19, h},
    {"p-order", "c * 2 + i / 2", "c * 2 + i % 2", 19, h},

    {"parity-wrong", "parity(n) ^ 1", "parity(n)", 21, h},
    {"parity-wrong", "parity(m) ^ 1", "parity(m)", 24, h},
    {"parity-wrong", "at(k_full, n), parity(n)", "at(k_full, n), parity(n) ^ 1", 20, h},
    {"parity-wrong", "at(v_full, n), parity(n)", "at(v_full, n), parity(n) ^ 1", 20, h},
    {"parity-wrong", "mbarrier_wait(at(q_full, 0), 0)", "mbarrier_wait(at(q_full, 0), 1)", 20, 23},
    {"parity-wrong", "mbarrier_wait(at(q_full, m), parity(m))", "mbarrier_wait(at(q_full, m), parity(m) ^ 1)", 24, h},
    {"parity-wrong", "at(q_full, m + 1), parity(m + 1))", "at(q_full, m + 1), parity(m))", 27, h},

    {"bytes-wrong", "arrive_expect_tx(at(full, n), tile_bytes)", "arrive(at(full, n))", 20, h},
    {"bytes-wrong", "at(full, n), tile_bytes)", "at(full, n), tile_bytes / 2)", 20, h},
    {"bytes-wrong", "at(full, n), tile_bytes)", "at(full, n), tile_bytes + 16)", 20, h},
    {"bytes-wrong", "at(q_full, 0), tile_bytes)", "at(q_full, 0), tile_bytes / 2)", 20, 23},
    {"bytes-wrong", "at(q_full, m), tile_bytes)", "at(q_full, m), tile_bytes / 2)", 24, h},

    {"arrivals-wrong", "mbarrier_init(at(full, stage), 1)", "mbarrier_init(at(full, stage), 2)", 20, h},
    {"arrivals-wrong", "mbarrier_init(at(empty, stage), warpgroups)", "mbarrier_init(at(empty, stage), 1)", 21, h},
    {"arrivals-wrong", "mbarrier_init(at(empty, stage), warpgroups)", "mbarrier_init(at(empty, stage), 3)", 21, h},

    {"release-removed", "release(k_empty, n);", ";", 21, h, true},
    {"release-removed", "release(k_empty, 0);", ";", 22, 23},
    {"release-removed", "release(k_empty, n + 1);", ";", 22, h},
    {"release-removed", "release(v_empty, n);", ";", 21, h},
    {"release-removed", "release(q_empty, m);", ";", 24, h},

    {"fence-removed", "wgmma_fence();", ";", 19, h},
    {"fence-removed", "proxy_fence();", ";", 19, h, true},
    {"fence-removed", "mbarrier_init_fence();", ";", 20, h},

    {"product-not-awaited", "wgmma_wait<0>(", "wgmma_wait<1>(", 19, h},
    {"product-not-awaited", "wgmma_wait<1>(", "wgmma_wait<2>(", 22, h},
    {"product-not-awaited", "wgmma_wait<0>(o_regs);", ";", 19, h},
    {"store-not-awaited", "tma_store_wait_read<0>();", ";", 23, h},

    {"descriptor-wrong", "0, 8 * half_row_bytes)", "0, 16 * half_row_bytes)", 19, h},
    {"descriptor-wrong", "tile_cols * half_row_bytes, 8 * half_row_bytes",
     "8 * half_row_bytes, tile_cols * half_row_bytes", 19, h},
    {"descriptor-wrong", "slice % 4 * 2 * chunk_bytes", "slice % 4 * chunk_bytes", 19, h},
    {"descriptor-wrong", "slice * 16 * half_row_bytes", "slice * 8 * half_row_bytes", 19, h},

    {"registers-wrong", "setmaxnreg_dec<24>", "setmaxnreg_dec<40>", 21, h},
    {"registers-wrong", "setmaxnreg_inc<240>", "setmaxnreg_inc<248>", 21, h},
    {"registers-wrong", "setmaxnreg_inc<240>", "setmaxnreg_inc<244>", 21, h},

    {"not-elected", "threadIdx.x < 32 && elect_one()", "threadIdx.x < 32", 21, h},
    {"not-elected", "if (elect_one())", "if (true)", 23, h},
    {"not-elected", "warp == 0 && elect_one()", "warp == 0", 20, 20},

    {"box-wrong", "(last_block - n) * tile_cols", "(last_block - n + 1) * tile_cols", 20, 23},
    {"box-wrong", "kv_block * tile_cols, 0", "(kv_block + 1) * tile_cols, 0", 24, h},
    {"box-wrong", "tile / row_tiles % heads", "tile / row_tiles % heads / 2", 24, h},
    {"box-wrong", "tile / row_tiles / heads", "tile / row_tiles / heads / 2", 24, h},
    {"box-wrong", "w * warpgroup_rows", "w * warpgroup_rows / 2", 19, h},
};

}  // namespace

std::span<const Replacement> hopper_replacements() { return list; }

}  // namespace flash_steps::mutants
