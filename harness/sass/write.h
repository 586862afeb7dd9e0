// Machine code as a JSON file of schema "flash-steps/machine-code/2".
#pragma once

#include <filesystem>
#include <vector>

#include "harness/results/results.h"
#include "harness/sass/built.h"

namespace flash_steps {

/// As write_file() does.
void write_machine_code(const std::vector<MachineCodeRow>& rows, const Meta& meta, const std::filesystem::path& file);

}  // namespace flash_steps
