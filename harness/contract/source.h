// The source text of a kernel, for what shows it: --explain and --diff.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/contract/registry.h"

namespace flash_steps {

/// The kernel's file: in the source folder that this was built from or, if that is gone, in the kernels folder beside
/// the executable's. Nothing if it is in neither.
std::optional<std::filesystem::path> find_source(const Kernel& kernel);

/// Lines without their ends; empty if there is no such file.
std::vector<std::string> read_lines(const std::filesystem::path& file);

}  // namespace flash_steps
