// Where the project keeps its results.
#pragma once

#include <filesystem>

#include "harness/contract/chapter.h"

namespace flash_steps {

/// docs/results in the source folder that this was built from.
inline std::filesystem::path stored_results() {
  return std::filesystem::path(FLASH_STEPS_SOURCE_DIR) / "docs" / "results";
}

/// Those of a chapter: in the folder there that is called as the chapter's, of the sixteen in docs/results itself.
inline std::filesystem::path stored_results(const Chapter& chapter) {
  return chapter.folder.empty() ? stored_results() : stored_results() / chapter.folder;
}

/// "docs/results/primer/h100.json"
inline std::string stored_name(const Chapter& chapter, const std::string& file) {
  return (std::filesystem::path("docs/results") / chapter.folder / file).string();
}

}  // namespace flash_steps
