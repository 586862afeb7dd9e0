// Which of the stored results somebody should make anew.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace flash_steps {

struct StaleFile {
  std::filesystem::path file;
  std::vector<std::string> reasons;  ///< "the code has changed since: 01_base"
  bool is_of_todays_code = false;    ///< then it is the commit alone that is in doubt
  std::string command;               ///< what made it, as it would be typed; empty if the file does not say
};

/// Of the project's files in a folder and below it, by name, those that were made of other code than today's kernels
/// have, or from a tree with changes that are in no commit, or that do not say. Files that hold nothing of kernels are
/// passed over. Throws std::runtime_error for a file that cannot be read.
std::vector<StaleFile> stale_files(const std::filesystem::path& folder);

}  // namespace flash_steps
