// Which kernels a list on the command line chooses.
#pragma once

#include <string>
#include <vector>

#include "harness/contract/registry.h"

namespace flash_steps {

/// The kernels that a list chooses, each once, in the order of the list. An item is a chapter ("all" are the sixteen;
/// primer, beyond, variants), a number as in its label (7, 07, p03), a range of such (01-06, p11-02) in the order of
/// reading, a name (07_autotune), a pattern ("*_loads", with * and ?), or a part of just one name (autotune). Throws
/// UsageError, that names what would work.
std::vector<const Kernel*> select_kernels(const std::string& list, const std::vector<Kernel>& kernels);

/// The configs that a list of names and patterns chooses among those of a kernel, each once, in the kernel's order.
/// An empty list and "all" choose all. Empty if the kernel has none of them.
std::vector<std::string> select_configs(const std::string& list, const std::vector<std::string>& configs);

}  // namespace flash_steps
