// --list: the kernels that there are.
#pragma once

#include <iosfwd>
#include <vector>

#include "harness/contract/registry.h"

namespace flash_steps {

/// Names of a kernel's configs, each once, in the order of the file.
std::vector<std::string> configs_of(const Kernel& kernel);

void print_list(std::ostream& out, const std::vector<const Kernel*>& kernels);

}  // namespace flash_steps
