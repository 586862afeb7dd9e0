// --diff: what a step changed.
#pragma once

#include <string>

#include "harness/contract/registry.h"

namespace flash_steps {

/// The unified diff from the step before `kernel` to it, or a sentence if it is the first one. Throws MachineError if
/// the sources or the program `diff` are not there.
std::string diff_of(const Kernel& kernel, bool coloured);

/// Of that diff; of the first one none.
struct ChangedLines {
  int removed = 0;
  int added = 0;
};
ChangedLines changed_lines(const Kernel& kernel);

}  // namespace flash_steps
