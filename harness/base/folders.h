// Where this program was built, and of what: absolute paths, which may be gone where it was copied elsewhere.
#pragma once

#include <filesystem>

namespace flash_steps {

/// The folder of the sources: that of README.md.
std::filesystem::path source_folder();

/// The folder in which CMake built it: build, or one in it.
std::filesystem::path build_folder();

}  // namespace flash_steps
