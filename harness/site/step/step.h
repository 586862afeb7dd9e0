// The right side of a step's page: what it changed, its file with its counters, its machine code, its figures.
#pragma once

#include <string>

#include "harness/contract/registry.h"
#include "harness/site/data.h"
#include "harness/site/folder.h"
#include "harness/site/text/tools.h"

namespace flash_steps {

/// HTML. What it loads later is put into `files`. `page` is the page's file in the site.
std::string render_step(const Kernel& kernel, const std::string& page, const SiteData& data, const TextTools& tools,
                        SiteFiles& files);

}  // namespace flash_steps
