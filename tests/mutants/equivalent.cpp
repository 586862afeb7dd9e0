#include "mutants/equivalent.h"

#include <algorithm>

#include "harness/base/text.h"

namespace flash_steps::mutants {
namespace {

// Without the spaces around it; empty behind the last line.
std::string line_behind(const Mutant& mutant) {
  const std::vector<std::string> lines = split(mutant.text, '\n');
  if (mutant.line >= static_cast<int>(lines.size())) return "";
  const std::string& line = lines[mutant.line];
  const size_t begin = line.find_first_not_of(' ');
  return begin == std::string::npos ? "" : trimmed(line.substr(begin));
}

// Of the variants' forward kernels, which have it from 16: some of that one's configs wait for Q alone.
Equivalent commit_of_q(const std::string& kernel, const std::string& next) {
  return {kernel,
          "commit-removed",
          "cp_async_commit();",
          ";",
          next,
          "Q's copies become part of the group of K's, and the first wait is for both."};
}

}  // namespace

const std::vector<Equivalent>& equivalents() {
  const std::string behind_q = "// How many keys a row sees grows from row to row.";
  static const std::vector<Equivalent> list{
      {"27_next_tile", "release-removed", "release(v_empty, n);", ";", "store_o(blockIdx.x + m * gridDim.x, row_sum);",
       "It is the last block of a CTA's last tile: no copy waits for its place."},
      {"v08_backward", "offset-32-bit", "const int64_t head_of_all = int64_t{blockIdx.z} * a.heads + head;",
       "const int32_t head_of_all = int64_t{blockIdx.z} * a.heads + head;",
       "cp_async_16(terms_smem + lane * chunk_bytes,",
       "L and D are two numbers a query: up to 2^30 queries of all heads, which are 128 GiB of Q alone, 32 bits do."},
      commit_of_q("v01_any_length", "const int last_block = (a.seqlen_kv - 1) / tile_cols;"),
      commit_of_q("v02_causal", behind_q),
      commit_of_q("v03_head_dim", behind_q),
      commit_of_q("v04_packed", behind_q),
      commit_of_q("v05_grouped_query", behind_q),
      commit_of_q("v06_logsumexp", behind_q),
      commit_of_q("v07_dropout", behind_q),
  };
  return list;
}

const Equivalent* find_equivalent(const Mutant& mutant, const std::vector<Equivalent>& list) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const Equivalent& entry) {
    return entry.kernel == mutant.kernel && entry.mistake == mutant.mistake && entry.before == mutant.before &&
           entry.after == mutant.after && entry.next == line_behind(mutant);
  });
  return found == list.end() ? nullptr : &*found;
}

}  // namespace flash_steps::mutants
