// Compiles mutants as the build compiles kernels for the emulator.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "mutants/mutant.h"

namespace flash_steps::mutants {

/// How the build compiles one of its targets, such as kernel_03_eager_loads for the emulator or
/// kernel_03_eager_loads_gpu, without what it compiles and where to. Throws std::runtime_error if it does not say.
std::string compile_command(const std::string& target);

/// Makes a shared library of the mutants of one kernel, in a folder that exists, and returns it. Without optimisation,
/// which would take longer than it saves; otherwise with the command by which the build compiles the kernel. Throws
/// CatalogueError with what the compiler says if a mutant does not compile.
std::filesystem::path build_library(const std::vector<Mutant>& mutants, const std::filesystem::path& folder);

}  // namespace flash_steps::mutants
