// Kernels as they were built: each file is a shared library for each target, which is loaded when it is asked for. So
// a runner starts without them, and one kernel that does not compile stands in nobody's way.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/contract/kernel.h"

namespace flash_steps {

/// Where the library of a kernel for a target is, or would be: beside the program that runs, in kernels/ or (for the
/// GPU) kernels/gpu/, in the folders above it up to its build folder, or in the build folder that this program is of.
std::filesystem::path module_file(const std::string& kernel, Target target);

/// What the kernel file registered for the target. Throws MachineError if its library is not there or cannot be loaded.
Registered load_module(const std::string& kernel, Target target);

/// All that was registered by libraries that the program itself loaded or was linked with, in order.
const std::vector<Registered>& registrations();

}  // namespace flash_steps
