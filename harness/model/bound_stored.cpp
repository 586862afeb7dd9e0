#include "harness/model/bound_stored.h"

#include "harness/contract/coverage.h"

namespace flash_steps {

std::optional<Bound> StoredBounds::of(const std::string& kernel, const std::string& config, const Rates& rates) const {
  const auto work = works.find({kernel, config});
  if (work == works.end()) return std::nullopt;
  return bound(work->second, machine_code.main_loop(kernel, config, rates.arch), rates);
}

std::optional<ConfigBound> StoredBounds::highest(const Kernel& kernel, const Rates& rates) const {
  std::optional<ConfigBound> best;
  for (const Variant& variant : kernel.emulator()) {
    if (!computes_published(variant)) continue;
    const std::string& config = variant.tile.config;
    const auto bound = of(kernel.name, config, rates);
    if (bound && (!best || bound->percent_of_peak > best->bound.percent_of_peak)) best = {config, *bound};
  }
  return best;
}

StoredBounds read_stored_bounds() { return {read_stored_tile_works(), read_stored_machine_code()}; }

}  // namespace flash_steps
