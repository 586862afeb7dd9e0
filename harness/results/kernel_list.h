// The kernels that there are, for programs: what results of them are compared with.
#pragma once

#include <filesystem>
#include <vector>

#include "harness/contract/registry.h"
#include "harness/results/results.h"

namespace flash_steps {

/// Of schema flash-steps/kernel-list/1: name, label, chapter, configs and code (see code_hash()) of each. Throws
/// MachineError for a kernel that is not built, and as write_file().
void write_kernel_list(const std::vector<const Kernel*>& kernels, const Meta& meta, const std::filesystem::path& file);

}  // namespace flash_steps
