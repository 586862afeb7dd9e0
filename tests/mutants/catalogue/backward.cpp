// The mistakes that are made in the kernels of the backward pass, of the chapter of variants, whose numbers these are.
#include "mutants/catalogue/replacement.h"

namespace flash_steps::mutants {
namespace {

constexpr int first = first_backward_variant;
constexpr int last = last_backward_variant;

constexpr Replacement list[] = {
    {"row-term-wrong", "dp = s * (dp - d);", "dp = s * dp;", first, last},
    {"row-term-wrong", "x.low * y.low + x.high * y.high", "x.low * y.low", first, last},
    {"row-term-wrong", "lse * log2_e", "lse", first, last},
    {"p-for-ds", "(dk_regs, dp_regs, q_smem)", "(dk_regs, s_regs, q_smem)", first, last},
    {"sum-not-reduced", "lane_mask < lanes", "lane_mask < lanes / 2", first, last},
    {"scale-twice", "dp = s * (dp - d);", "dp = s * (dp - d) * softmax_scale;", first, last},
    {"scale-twice", "dk_regs, a.softmax_scale)", "dk_regs, 1)", first, last},
    {"scale-twice", "dq_regs, a.softmax_scale)", "dq_regs, 1)", first, last},
    {"last-block-skipped", "(first_key - a.diagonal, 0) / tile_cols", "(first_key - a.diagonal, 0) / tile_cols + 1",
     first, last},
    {"last-block-skipped", "step < steps;", "step + 1 < steps;", first, last},
    {"last-block-skipped", "step + 1 < steps)", "step + 2 < steps)", first, last},
    {"last-block-skipped", "kv_block >= 0;", "kv_block > 0;", first, last},
    {"last-block-skipped", "kv_block > 0)", "kv_block > 1)", first, last},

    {"head-offset", "blockIdx.y * head_dim", "blockIdx.y * head_dim / 2", first, last},
    {"head-offset", "head_of(step) * head_dim", "head_of(step) * head_dim / 2", first, last},
    {"batch-offset", "int64_t{blockIdx.z} * a.seqlen +", "int64_t{blockIdx.z} * (a.seqlen - 1) +", first, last},
    {"batch-offset", "int64_t{blockIdx.z} * a.seqlen_kv", "int64_t{blockIdx.z} * (a.seqlen_kv - 1)", first, last},
    {"row-offset", "blockIdx.x * tile_rows", "blockIdx.x * (tile_rows / 2)", first, last},
    {"row-offset", "blockIdx.x) * tile_rows", "blockIdx.x) * (tile_rows / 2)", first, last},
    {"offset-32-bit", "int64_t offset =", "int32_t offset =", first, last},
    {"offset-32-bit", "int64_t kv_offset =", "int32_t kv_offset =", first, last},
    {"offset-32-bit", "int64_t tile_offset =", "int32_t tile_offset =", first, last},
    {"offset-32-bit", "int64_t kv_head_offset =", "int32_t kv_head_offset =", first, last},
    {"smem-bytes", "4 * tile_bytes(head_dim)", "5 * tile_bytes(head_dim)", first, last},
    {"smem-bytes", "4 * tile_bytes(head_dim)", "3 * tile_bytes(head_dim)", first, last},
    {"p-order", "pack2<T>(pair[0], pair[1])", "pack2<T>(pair[1], pair[0])", first, last},
    {"p-order", "c * 2 + i / 2", "c * 2 + i % 2", first, last},

    {"row-beyond-the-end", "row + r < rows_left", "row + r <= rows_left", first, last},
    {"row-beyond-the-end", "row + r < rows_left", "true", first, last},
    {"row-beyond-the-end", "(row < rows_left", "(row <= rows_left", first, last},
    {"row-beyond-the-end", "(row < rows_left", "(true", first, last},
    {"row-beyond-the-end", "is_there ? row : a.seqlen - 1", "row", first, last},
    {"row-beyond-the-end", "is_there ? lse * log2_e : INFINITY", "lse * log2_e", first, last},
    {"row-beyond-the-end", "a.seqlen - row_of(step)", "a.seqlen", first, last},
    {"row-beyond-the-end", "a.seqlen_kv - kv_block * tile_cols", "a.seqlen_kv", first, last},
    {"mask-off-by-one", "< hidden_cols", "<= hidden_cols", first, last},
    {"mask-off-by-one", ">= visible_keys", "> visible_keys", first, last},
    {"mask-off-by-one", "row + a.diagonal + 1", "row + a.diagonal", first, last},
    {"mask-in-other-block", "row_of(step) < full_from", "row_of(step) >= full_from", first, last},
    {"mask-in-other-block", "kv_block >= full_blocks", "kv_block > full_blocks", first, last},
    {"mask-in-other-block", "visible_keys(first_row) / tile_cols", "visible_keys(first_row) / tile_cols + 1", first,
     last},
    {"mask-aligned-top-left", "== Mask::causal ? problem.seqlen", "== Mask::causal ? problem.keys()", first, last},
    {"group-of-the-next-head", "blockIdx.y / a.group", "(blockIdx.y + 1) / a.group", first, last},
    {"group-of-the-next-head", "a.heads / a.group", "a.heads", first, last},
    {"group-of-the-next-head", "step / blocks", "(step + 1) / blocks", first, last},
};

}  // namespace

std::span<const Replacement> backward_replacements() { return list; }

}  // namespace flash_steps::mutants
