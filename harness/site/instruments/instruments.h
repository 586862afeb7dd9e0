// The instruments: pages on which a part of the machine can be tried.
#pragma once

#include <vector>

#include "harness/contract/registry.h"
#include "harness/site/data.h"
#include "harness/site/frame.h"

namespace flash_steps {

/// In the order in which the table of contents shows them.
std::vector<Framed> make_instruments(const std::vector<Kernel>& kernels, const SiteData& data);

}  // namespace flash_steps
