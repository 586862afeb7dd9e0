// The panel of a step's figures: what was measured of each config, and what bounds it.
#pragma once

#include <string>

#include "harness/contract/registry.h"
#include "harness/site/data.h"

namespace flash_steps {

/// HTML, a table for each config; book.js shows the one that is chosen.
std::string render_figures(const Kernel& kernel, const SiteData& data);

}  // namespace flash_steps
