// --diff: what a step changed.
#pragma once

#include <iosfwd>

#include "harness/contract/registry.h"

namespace flash_steps {

/// Prints the unified diff from the step before `kernel` in `kernels` to it. Throws MachineError if the sources or the
/// program `diff` are not there.
void print_diff(std::ostream& out, const Kernel& kernel, const std::vector<Kernel>& kernels, bool coloured);

}  // namespace flash_steps
