// The mistakes that are made in the kernels of the backward pass, of the chapter of variants, whose numbers these are.
#include "mutants/replacement.h"

namespace flash_steps::mutants {
namespace {

constexpr int first = first_backward_variant;
constexpr int last = last_backward_variant;
constexpr int two_passes = 8, one_pass = 9;

constexpr Replacement list[] = {
    {"row-term-wrong", "dp = s * (dp - d);", "dp = s * dp;", first, last},
    {"row-term-wrong", "x.low * y.low + x.high * y.high", "x.low * y.low", first, last},
    {"row-term-wrong", "lse * log2_e", "lse", first, last},
    {"p-for-ds", "(dk_regs, dp_regs, q_smem)", "(dk_regs, s_regs, q_smem)", first, two_passes},
    {"p-for-ds", "(dk_regs, ds_smem, q_smem)", "(dk_regs, p_smem, q_smem)", one_pass, last},
    {"p-for-ds", "(dq_regs, ds_smem, k_smem)", "(dq_regs, p_smem, k_smem)", one_pass, last},
    {"sum-not-reduced", "lane_mask < lanes", "lane_mask < lanes / 2", first, last},
    {"scale-twice", "dp = s * (dp - d);", "dp = s * (dp - d) * softmax_scale;", first, last},
    {"scale-twice", "dk_regs, a.softmax_scale)", "dk_regs, 1)", first, last},
    {"scale-twice", "dq_regs, a.softmax_scale)", "dq_regs, 1)", first, last},
    {"last-block-skipped", "(first_key - a.diagonal, 0) / tile_cols", "(first_key - a.diagonal, 0) / tile_cols + 1",
     first, two_passes},
    {"last-block-skipped", "(first_key - a.diagonal, 0) / queries", "(first_key - a.diagonal, 0) / queries + 1",
     one_pass, last},
    {"last-block-skipped", "step < steps;", "step + 1 < steps;", first, last},
    {"last-block-skipped", "step + 1 < steps)", "step + 2 < steps)", first, last},
    {"last-block-skipped", "kv_block >= 0;", "kv_block > 0;", first, two_passes},
    {"last-block-skipped", "kv_block > 0)", "kv_block > 1)", first, two_passes},

    {"head-offset", "blockIdx.y * head_dim", "blockIdx.y * head_dim / 2", first, last},
    {"head-offset", "head_of(step) * head_dim", "head_of(step) * head_dim / 2", first, last},
    {"batch-offset", "int64_t{blockIdx.z} * a.seqlen +", "int64_t{blockIdx.z} * (a.seqlen - 1) +", first, last},
    {"batch-offset", "int64_t{blockIdx.z} * a.seqlen_kv", "int64_t{blockIdx.z} * (a.seqlen_kv - 1)", first, last},
    {"row-offset", "blockIdx.x * tile_rows", "blockIdx.x * (tile_rows / 2)", first, two_passes},
    {"row-offset", "blockIdx.x) * tile_rows", "blockIdx.x) * (tile_rows / 2)", first, two_passes},
    {"row-offset", "blockIdx.x * tile_keys", "blockIdx.x * (tile_keys / 2)", one_pass, last},
    {"row-offset", "blockIdx.x * queries", "blockIdx.x * (queries / 2)", one_pass, last},
    {"offset-32-bit", "int64_t head = int64_t{blockIdx.z} * a.heads + head_of",
     "int32_t head = int64_t{blockIdx.z} * a.heads + head_of", one_pass, last},
    {"offset-32-bit", "int64_t tile =", "int32_t tile =", one_pass, last},
    {"offset-32-bit", "int64_t offset =", "int32_t offset =", first, last},
    {"offset-32-bit", "int64_t kv_offset =", "int32_t kv_offset =", first, last},
    {"offset-32-bit", "int64_t tile_offset =", "int32_t tile_offset =", first, two_passes},
    {"offset-32-bit", "int64_t kv_head_offset =", "int32_t kv_head_offset =", first, two_passes},
    {"smem-bytes", "4 * tile_bytes(head_dim)", "5 * tile_bytes(head_dim)", first, two_passes},
    {"smem-bytes", "4 * tile_bytes(head_dim)", "3 * tile_bytes(head_dim)", first, two_passes},
    {"p-order", "pack2<T>(pair[0], pair[1])", "pack2<T>(pair[1], pair[0])", first, two_passes},
    {"p-order", "c * 2 + i / 2", "c * 2 + i % 2", first, two_passes},
    {"smem-bytes", "2 * (tile_bytes(tile_keys, head_dim) + stage", "3 * (tile_bytes(tile_keys, head_dim) + stage",
     one_pass, last},
    {"smem-bytes", "2 * (tile_bytes(tile_keys, head_dim) + stage", "(tile_bytes(tile_keys, head_dim) + stage", one_pass,
     last},
    {"p-order", "pack2<T>(s[0], s[1])", "pack2<T>(s[1], s[0])", one_pass, last},
    {"p-order", "pack2<T>(dp[0], dp[1])", "pack2<T>(dp[1], dp[0])", one_pass, last},

    {"row-beyond-the-end", "a.seqlen - first_row", "a.seqlen", one_pass, last},
    {"row-beyond-the-end", "row + r < rows_left", "row + r <= rows_left", first, last},
    {"row-beyond-the-end", "row + r < rows_left", "true", first, last},
    {"row-beyond-the-end", "(row < rows_left", "(row <= rows_left", first, last},
    {"row-beyond-the-end", "(row < rows_left", "(true", first, last},
    {"row-beyond-the-end", "is_there ? row : a.seqlen - 1", "row", first, last},
    {"row-beyond-the-end", "is_there ? lse * log2_e : INFINITY", "lse * log2_e", first, last},
    {"row-beyond-the-end", "a.seqlen - row_of(step)", "a.seqlen", first, last},
    {"row-beyond-the-end", "a.seqlen_kv - kv_block * tile_cols", "a.seqlen_kv", first, two_passes},
    {"mask-off-by-one", "< hidden_cols", "<= hidden_cols", first, two_passes},
    {"mask-off-by-one", ">= visible_keys", "> visible_keys", first, two_passes},
    {"mask-off-by-one", "row + a.diagonal + 1", "row + a.diagonal", first, last},
    {"mask-in-other-block", "row_of(step) < full_from", "row_of(step) >= full_from", first, two_passes},
    {"mask-in-other-block", "kv_block >= full_blocks", "kv_block > full_blocks", first, two_passes},
    {"mask-in-other-block", "visible_keys(first_row) / tile_cols", "visible_keys(first_row) / tile_cols + 1", first,
     two_passes},
    {"mask-off-by-one", ">= cols_left", "> cols_left", one_pass, last},
    {"mask-in-other-block", "(row_of(step)) < first_key + tile_keys", "(row_of(step)) < first_key", one_pass, last},
    {"mask-aligned-top-left", "== Mask::causal ? problem.seqlen", "== Mask::causal ? problem.keys()", first, last},
    {"group-of-the-next-head", "blockIdx.y / a.group", "(blockIdx.y + 1) / a.group", first, two_passes},
    {"group-of-the-next-head", "a.heads / a.group", "a.heads", first, last},
    {"group-of-the-next-head", "step / blocks", "(step + 1) / blocks", first, last},

    {"sum-not-cleared", "st_global_16(sums + i + threadIdx.x * 4, {});", ";", one_pass, last},
    {"sum-not-cleared", "i < queries * head_dim;", "i < queries * head_dim / 2;", one_pass, last},
    {"sum-stored", "red_global_add(sums, dq_regs[m][n][i])", "st_global_4(sums, bits_of(dq_regs[m][n][i]))", one_pass,
     last},
    {"lanes-at-one-address", "sums_of(step) + threadIdx.x;", "sums_of(step) + threadIdx.x / 2;", one_pass, last},
    {"lanes-at-one-address", "workspace_floats(head_dim) + threadIdx.x", "workspace_floats(head_dim) + threadIdx.x / 2",
     one_pass, last},
    {"workspace-shared", "* a.heads + head_of(step);", "* a.heads + blockIdx.y;", one_pass, last},
    {"workspace-shared", "row_of(step) / queries)", "row_of(step) / queries / 2)", one_pass, last},
    {"workspace-shared", "tile_queries(head_dim) * (head_dim + 2)", "tile_queries(head_dim) * head_dim", one_pass,
     last},
};

}  // namespace

std::span<const Replacement> backward_replacements() { return list; }

}  // namespace flash_steps::mutants
