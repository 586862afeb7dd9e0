// The mistakes that are made in the kernels of the chapter of variants, whose numbers these are.
#include "mutants/catalogue/replacement.h"

namespace flash_steps::mutants {
namespace {

constexpr int v = last_variant;

constexpr Replacement list[] = {
    {"rescale-dropped", "o_regs[r][n][half * 2] *= shrink;", ";", 1, v},
    {"rescale-dropped", "o_regs[r][n][half * 2 + 1] *= shrink;", ";", 1, v},
    {"rescale-dropped", "row_sum[r][half] *= shrink;", ";", 1, v},
    {"max-not-reduced", "max_of_quad(block_max)", "block_max", 1, v},
    {"max-of-half-the-keys", "for (int n = 1; n < col_frags * 2; n++)", "for (int n = 1; n < col_frags; n++)", 1, v},
    {"max-clamped-at-0", "max_of_quad(block_max)", "fmaxf(0, max_of_quad(block_max))", 1, v},
    {"running-max-dropped", "new_max = fmaxf(row_max[r][half], new_max);", ";", 1, v},
    {"sum-not-reduced", "return value + shfl_xor(value, 2);", "return value;", 1, v},
    {"scale-twice", "0.08838834764831845f", "0.08838834764831845f * 0.08838834764831845f", 1, 2},
    {"scale-twice", "1.4426950408889634 /", "1.4426950408889634 * 0.08838834764831845 /", 3, v},
    {"scale-of-128", "double(c.head_dim)", "128.0", 3, v},
    {"last-block-skipped", "kv_block >= 0;", "kv_block > 0;", 1, v},
    {"last-block-skipped", "kv_block > 0)", "kv_block > 1)", 1, v},

    {"head-offset", "blockIdx.y * head_dim", "blockIdx.y * head_dim / 2", 1, v},
    {"batch-offset", "int64_t{blockIdx.z} * a.seqlen *", "int64_t{blockIdx.z} * (a.seqlen - 1) *", 1, 3},
    {"batch-offset", "int64_t{blockIdx.z} * a.seqlen_kv *", "int64_t{blockIdx.z} * (a.seqlen_kv - 1) *", 1, 3},
    {"batch-offset", "(start + first_row)", "(start - static_cast<int>(blockIdx.z) + first_row)", 4, v},
    {"batch-offset", "kv_start * ", "(kv_start - static_cast<int>(blockIdx.z)) * ", 4, v},
    {"row-offset", "blockIdx.x * tile_rows", "blockIdx.x * (tile_rows / 2)", 1, 1},
    {"row-offset", "blockIdx.x) * tile_rows", "blockIdx.x) * (tile_rows / 2)", 2, v},
    {"offset-32-bit", "int64_t{blockIdx.z} * a.seqlen * row_stride",
     "int64_t{static_cast<int32_t>(int64_t{blockIdx.z} * a.seqlen * row_stride)}", 1, 3},
    {"offset-32-bit", "(start + first_row) * row_stride",
     "int64_t{static_cast<int32_t>((start + first_row) * row_stride)}", 4, v},
    {"smem-bytes", "c.tile_rows + 2 * c.tile_cols", "2 * c.tile_rows + 4 * c.tile_cols", 1, v},
    {"smem-bytes", "c.tile_rows + 2 * c.tile_cols", "c.tile_rows + c.tile_cols", 1, v},
    {"p-order", "pack2<T>(p0, p1)", "pack2<T>(p1, p0)", 1, 6},
    {"p-order", "bytes / 256 <= most ? p1", "bytes / 256 <= most ? p0", 7, v},
    {"p-order", "c * 2 + i / 2", "c * 2 + i % 2", 1, v},

    {"row-beyond-the-end", "r < rows_left", "r <= rows_left", 1, v},
    {"row-beyond-the-end", "r < rows_left", "true", 1, v},
    {"row-beyond-the-end", "cols_left - copy_row", "cols_left", 1, v},
    {"row-beyond-the-end", "seqlen - first_row - copy_row", "seqlen - first_row", 1, v},
    {"row-beyond-the-end", "!is_first>(", "true>(", 1, v},
    {"row-beyond-the-end", "first_row + row < a.seqlen", "true", 1, 3},
    {"row-beyond-the-end", "first_row + row < a.seqlen", "first_row + row <= a.seqlen", 1, 3},
    {"row-beyond-the-end", "first_row + row < seqlen", "true", 4, v},
    {"row-beyond-the-end", "first_row + row < seqlen", "first_row + row <= seqlen", 4, v},
    {"row-beyond-the-end", "lane % 4 == 0 && row < seqlen", "lane % 4 == 0", 6, v},
    {"mask-off-by-one", ">= cols_left", "> cols_left", 1, 1},
    {"mask-off-by-one", ">= row_cols", "> row_cols", 2, v},
    {"mask-off-by-one", "row + a.diagonal + 1", "row + a.diagonal", 2, 3},
    {"mask-off-by-one", "row + diagonal + 1", "row + diagonal", 4, v},
    {"mask-in-other-block", "if constexpr (is_first) {", "if constexpr (!is_first) {", 1, 1},
    {"mask-in-other-block", "if constexpr (is_masked) {", "if constexpr (is_first) {", 2, v},
    {"mask-in-other-block", "visible_keys(first_row) / tile_cols", "visible_keys(first_row) / tile_cols + 1", 2, v},
    {"mask-aligned-top-left", "== Mask::causal ? problem.seqlen", "== Mask::causal ? problem.keys()", 2, 3},
    {"mask-aligned-top-left", "a.causal ? seqlen", "a.causal ? seqlen_kv", 4, v},
    {"guard-dropped", "block_max = fmaxf(block_max, lowest_max);", ";", 2, v},
    {"guard-dropped", "sum == 0 ? 0 : 1.0f / sum", "1.0f / sum", 2, 6},
    {"guard-dropped", "sum == 0 ? 0 : a.dropout.kept_scale / sum", "a.dropout.kept_scale / sum", 7, v},
    {"guard-dropped", "sum == 0 ? INFINITY : ", "", 6, v},
    {"panels-of-other-width", "head_dim % 64 == 0 ? 8", "head_dim % 32 == 0 ? 8", 3, v},
    {"group-of-the-next-head", "blockIdx.y / a.group", "(blockIdx.y + 1) / a.group", 5, v},
    {"group-of-the-next-head", "a.heads / a.group", "a.heads", 5, v},
    {"neighbours-length", "load_int(a.starts + blockIdx.z + 1) - start", "load_int(a.starts + 1)", 4, v},
    {"neighbours-length", "load_int(a.kv_starts + blockIdx.z + 1) - kv_start", "load_int(a.kv_starts + 1)", 4, v},
    {"neighbours-length", "load_int(a.kv_starts + blockIdx.z + 1)", "load_int(a.starts + blockIdx.z + 1)", 4, v},
    {"logarithm-wrong", "std::log2(sum)) * ln_2", "std::log2(sum))", 6, v},
    {"logarithm-wrong", "(row_max[r][half] + std::log2(sum))", "std::log2(sum)", 6, v},
    {"logarithm-wrong", "sum == 0 ? INFINITY", "sum == 0 ? -INFINITY", 6, v},
    {"logarithm-wrong", " + int64_t{blockIdx.y} * seqlen", "", 6, v},
    {"dropout-wrong", "most ? p1 : 0)", "most ? p1 : (row_sum[r][half] -= p1, 0.0f))", 7, v},
    {"dropout-wrong", "a.dropout.kept_scale / sum", "1.0f / sum", 7, v},
    {"dropout-wrong", "(uint64_t{blockIdx.z} * a.heads + blockIdx.y) * 32", "uint64_t{blockIdx.z} * 32", 7, v},
    {"dropout-wrong", "uint64_t{blockIdx.z} * a.heads + blockIdx.y", "uint64_t{blockIdx.y}", 7, v},
    {"dropout-wrong", "const uint64_t lane_counter", "const uint32_t lane_counter", 7, v},
    {"dropout-wrong", "(first_row + warp_row) / 16", "warp_row / 16", 7, v},
    {"dropout-wrong", "(kv_block * col_frags + c) / 2", "c / 2", 7, v},
    {"dropout-wrong", "c % 2 * 2 + i / 2", "c % 2 * 2 + i % 2", 7, v},
    {"dropout-wrong", ">> half * 16", ">> (1 - half) * 16", 7, v},
    {"dropout-wrong", "bytes % 256 <= most", "bytes % 256 < most", 7, v},
};

}  // namespace

std::span<const Replacement> variants_replacements() { return list; }

}  // namespace flash_steps::mutants
