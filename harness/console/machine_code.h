// --machine-code: the machine code of the chosen kernels as a table.
#pragma once

#include <iosfwd>
#include <vector>

#include "harness/sass/built.h"

namespace flash_steps {

/// Counts of each row, for the whole kernel and for its main loop, and how they changed against the step before:
/// against its row of the same config if there is one, otherwise against its first.
void print_machine_code(std::ostream& out, const std::vector<MachineCodeRow>& rows);

}  // namespace flash_steps
