// --diff: what a step changed.
#pragma once

#include <string>

#include "harness/contract/registry.h"

namespace flash_steps {

/// The unified diff from the step before `kernel` to it, or a sentence if it is the first one. Throws MachineError if
/// the sources or the program `diff` are not there.
std::string diff_of(const Kernel& kernel, bool coloured);

}  // namespace flash_steps
