// Where the project keeps its results.
#pragma once

#include <algorithm>
#include <filesystem>
#include <vector>

#include "harness/base/folders.h"
#include "harness/contract/chapter.h"

namespace flash_steps {

/// docs/results in the source folder that this was built from.
inline std::filesystem::path stored_results() { return source_folder() / "docs" / "results"; }

/// Those of a chapter: in the folder there that is called as the chapter's, of the sixteen in docs/results itself.
inline std::filesystem::path stored_results(const Chapter& chapter) {
  return chapter.folder.empty() ? stored_results() : stored_results() / chapter.folder;
}

/// The files of a folder itself, by name; none if there is no such folder.
inline std::vector<std::filesystem::path> json_files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// The files of a folder of results and of the chapters' folders in it, by name.
inline std::vector<std::filesystem::path> results_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const Chapter& chapter : chapters()) {
    const std::vector<std::filesystem::path> more = json_files_in(folder / chapter.folder);
    files.insert(files.end(), more.begin(), more.end());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// "docs/results/primer/h100.json"
inline std::string stored_name(const Chapter& chapter, const std::string& file) {
  return (std::filesystem::path("docs/results") / chapter.folder / file).string();
}

}  // namespace flash_steps
