// The kernel files that the build found.
#pragma once

#include <filesystem>
#include <vector>

namespace flash_steps {

/// kernels/*.cu and those of the chapters' folders, whatever they are called.
const std::vector<std::filesystem::path>& kernel_files();

}  // namespace flash_steps
