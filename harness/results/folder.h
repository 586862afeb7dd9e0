// Where the project keeps its results.
#pragma once

#include <filesystem>

namespace flash_steps {

/// docs/results in the source folder that this was built from.
inline std::filesystem::path stored_results() {
  return std::filesystem::path(FLASH_STEPS_SOURCE_DIR) / "docs" / "results";
}

}  // namespace flash_steps
