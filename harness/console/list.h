// --list: the kernels that there are.
#pragma once

#include <iosfwd>
#include <vector>

#include "harness/contract/registry.h"

namespace flash_steps {

/// By chapter, each with its summary and its configs. A kernel that is not built is shown as such.
void print_list(std::ostream& out, const std::vector<const Kernel*>& kernels);

}  // namespace flash_steps
