// The tables of the bounds: for the page a line a step.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/model/bound_stored.h"
#include "harness/model/fa2_speed.h"

namespace flash_steps {

/// In Markdown, what print_bound prints of the first config of a kernel, from stored data alone.
std::string render_bound(const Kernel& kernel, const StoredBounds& bounds, const std::map<std::string, Fa2Speed>& fa2);

/// The table of rates, in Markdown.
std::string render_rates();

/// In Markdown, for each of these GPUs a table: of each kernel the config with the highest bound, the cycles of its
/// pipes for one tile, with those of the busiest in bold, and the bound in percent of peak.
std::string render_pipes(const std::vector<const Kernel*>& kernels, const StoredBounds& bounds);

}  // namespace flash_steps
