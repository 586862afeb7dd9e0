#include "harness/truth/validate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "harness/truth/reference.h"

namespace flash_steps {

int seqlen_step(const TileShape& tile) { return std::lcm(tile.tile_rows, tile.tile_cols); }

std::optional<std::string> seqlen_refusal(const TileShape& tile, int seqlen) {
  const int64_t step = seqlen_step(tile);
  if (seqlen > 0 && seqlen % step == 0) return std::nullopt;
  const int64_t below = seqlen > 0 ? seqlen / step * step : 0;
  const int64_t above = below + step;
  std::string shapes;
  if (below > 0) shapes = std::to_string(below);
  if (above <= std::numeric_limits<int>::max()) shapes += (below > 0 ? " and " : "") + std::to_string(above);
  return "seqlen " + std::to_string(seqlen) + " is not a multiple of " + std::to_string(step) + ", as tiles of " +
         std::to_string(tile.tile_rows) + " query rows and " + std::to_string(tile.tile_cols) + " keys need; " +
         shapes + " would work";
}

std::optional<std::string> check_shape(const Variant& variant, const Problem& problem) {
  const TileShape& tile = variant.tile;
  if (problem.head_dim != supported_head_dim) {
    return "head_dim " + std::to_string(problem.head_dim) + " is not covered; " + std::to_string(supported_head_dim) +
           " would work";
  }
  if (tile.heads != 0 && problem.heads != tile.heads) {
    return std::to_string(problem.heads) + " heads are not covered by config " + tile.config + "; " +
           std::to_string(tile.heads) + " would work";
  }
  return seqlen_refusal(tile, problem.seqlen);
}

Verdict judge(const OutputErrors& errors, Dtype dtype) {
  const double step = rounding_step(errors.max_abs_reference, dtype);
  Verdict verdict;
  verdict.tolerance = 2 * errors.ref16_max_abs + step;
  verdict.rms_tolerance = std::max(1.5 * errors.ref16_rms, step / 16);
  // Written so that a comparison with NaN fails.
  const bool usable = std::isfinite(verdict.tolerance) && std::isfinite(verdict.rms_tolerance);
  const bool wrong = !(errors.max_abs <= verdict.tolerance) || !(errors.rms <= verdict.rms_tolerance);
  verdict.passed = usable && !wrong;
  return verdict;
}

}  // namespace flash_steps
