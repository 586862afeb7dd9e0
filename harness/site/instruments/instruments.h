// The instruments: pages on which a part of the machine can be tried.
#pragma once

#include <vector>

#include "harness/contract/registry.h"
#include "harness/site/data.h"
#include "harness/site/folder.h"
#include "harness/site/frame.h"

namespace flash_steps {

/// In the order in which the table of contents shows them. What they load later is put into `files`.
std::vector<Framed> make_instruments(const std::vector<Kernel>& kernels, const SiteData& data, SiteFiles& files);

}  // namespace flash_steps
