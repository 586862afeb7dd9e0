#include "harness/model/bound_stored.h"

#include <stdexcept>

#include "harness/results/read.h"

namespace flash_steps {

std::optional<Bound> StoredBounds::of(const std::string& kernel, const std::string& config, const Rates& rates) const {
  const auto work = works.find({kernel, config});
  if (work == works.end()) return std::nullopt;
  return bound(work->second, machine_code.main_loop(kernel, config, rates.arch), rates);
}

std::optional<ConfigBound> StoredBounds::highest(const Kernel& kernel, const Rates& rates) const {
  std::optional<ConfigBound> best;
  for (const std::string& config : configs_of(kernel)) {
    const auto bound = of(kernel.name, config, rates);
    if (bound && (!best || bound->percent_of_peak > best->bound.percent_of_peak)) best = {config, *bound};
  }
  return best;
}

StoredBounds read_stored_bounds() {
  StoredBounds bounds{{}, read_stored_machine_code()};
  for (const Chapter& chapter : chapters()) {
    const std::filesystem::path file = tile_works_file(chapter);
    if (chapter.name != sixteen && !std::filesystem::exists(file)) continue;
    TileWorks works = tile_works(read_results(file));
    if (works.empty()) {
      throw std::runtime_error(file.string() +
                               ": runs holds no counters of a kernel at two lengths; one that the command on "
                               "docs/method/bounds.md makes would work");
    }
    bounds.works.merge(works);
  }
  return bounds;
}

}  // namespace flash_steps
