#include "harness/contract/coverage.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "harness/base/error.h"
#include "harness/base/text.h"

namespace flash_steps {
namespace {

template <typename T>
bool has(const std::vector<T>& list, T value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// What is asked for and not covered, where no other shape would help; empty if there is no such thing.
std::string missing_kind(const Coverage& coverage, const Problem& problem) {
  if (!has(coverage.passes, problem.pass)) return std::string("the pass ") + name_of(problem.pass) + " is";
  if (!has(coverage.masks, problem.mask)) return std::string("a ") + name_of(problem.mask) + " mask is";
  if (problem.dropout != 0 && !coverage.dropout) return "dropout is";
  if (problem.padding != 0 && !coverage.packed) return "packing sequences of different lengths is";
  if (problem.key_heads() != problem.heads && !coverage.grouped_heads) {
    return std::to_string(problem.key_heads()) + " heads of keys for " + std::to_string(problem.heads) +
           " of queries are";
  }
  if (problem.keys() != problem.seqlen && !coverage.unequal_lengths) {
    return std::to_string(problem.keys()) + " keys for " + std::to_string(problem.seqlen) + " queries are";
  }
  return "";
}

// "64 and 128 would work": the multiples of `step` around a length.
std::string nearest_multiples(int length, int64_t step) {
  const int64_t below = length > 0 ? length / step * step : 0;
  const int64_t above = below + step;
  std::vector<std::string> lengths;
  if (below > 0) lengths.push_back(std::to_string(below));
  if (above <= std::numeric_limits<int>::max()) lengths.push_back(std::to_string(above));
  return join(lengths, " and ") + " would work";
}

std::optional<std::string> length_refusal(const std::string& what, int length, int64_t step, const TileShape& tile) {
  if (length > 0 && length % step == 0) return std::nullopt;
  return what + " " + std::to_string(length) + " is not a multiple of " + std::to_string(step) + ", as tiles of " +
         std::to_string(tile.tile_rows) + " query rows and " + std::to_string(tile.tile_cols) + " keys need; " +
         nearest_multiples(length, step);
}

std::optional<std::string> dim_or_heads_refusal(const Variant& variant, const Problem& problem) {
  const TileShape& tile = variant.tile;
  const std::vector<int>& covered = variant.coverage.head_dims;
  if (!has(covered, problem.head_dim)) {
    std::vector<std::string> dims;
    for (const int dim : covered) dims.push_back(std::to_string(dim));
    return "head_dim " + std::to_string(problem.head_dim) + " is not covered; " + join(dims, " or ") + " would work";
  }
  if (tile.heads != 0 && problem.heads != tile.heads) {
    return std::to_string(problem.heads) + " heads are not covered by config " + tile.config + "; " +
           std::to_string(tile.heads) + " would work";
  }
  return std::nullopt;
}

std::optional<std::string> lengths_refusal(const Variant& variant, const Problem& problem) {
  const TileShape& tile = variant.tile;
  if (variant.coverage.any_length) return std::nullopt;
  if (problem.keys() == problem.seqlen) return length_refusal("seqlen", problem.seqlen, seqlen_step(tile), tile);
  if (auto refused = length_refusal("seqlen", problem.seqlen, tile.tile_rows, tile)) return refused;
  return length_refusal("seqlen-kv", problem.keys(), tile.tile_cols, tile);
}

// Where another shape would help.
std::optional<std::string> shape_refusal(const Variant& variant, const Problem& problem) {
  if (auto refused = dim_or_heads_refusal(variant, problem)) return refused;
  return lengths_refusal(variant, problem);
}

bool covers(const Variant& variant, const Problem& problem) {
  return variant.dtype == problem.dtype && missing_kind(variant.coverage, problem).empty() &&
         !shape_refusal(variant, problem);
}

// The first kernel with a variant that covers the problem, and (any_length) not only because its tiles happen to fit.
const Kernel* covering(const Problem& problem, const std::vector<Kernel>& among, bool any_length) {
  const auto found = std::find_if(among.begin(), among.end(), [&](const Kernel& kernel) {
    try {
      const std::vector<Variant>& variants = kernel.emulator();
      return std::any_of(variants.begin(), variants.end(), [&](const Variant& variant) {
        return (variant.coverage.any_length || !any_length) && covers(variant, problem);
      });
    } catch (const MachineError&) {
      return false;  // it is not built
    }
  });
  return found == among.end() ? nullptr : &*found;
}

}  // namespace

int seqlen_step(const TileShape& tile) { return std::lcm(tile.tile_rows, tile.tile_cols); }

bool computes_published(const Variant& variant) {
  return has(variant.coverage.head_dims, default_head_dim) && has(variant.coverage.passes, Pass::forward);
}

std::optional<std::string> refusal(const Variant& variant, const Problem& problem, const std::vector<Kernel>& among) {
  const std::string kind = missing_kind(variant.coverage, problem);
  if (!kind.empty()) {
    const Kernel* const other = covering(problem, among, false);
    return kind + " not covered; " + (other == nullptr ? "no kernel here covers it" : other->name + " would work");
  }
  std::optional<std::string> shape = dim_or_heads_refusal(variant, problem);
  const bool is_length = !shape;
  if (is_length) shape = lengths_refusal(variant, problem);
  if (!shape) return std::nullopt;
  const Kernel* const other = covering(problem, among, is_length);
  return other == nullptr || other->name == variant.kernel ? *shape : *shape + ", and so would " + other->name;
}

}  // namespace flash_steps
