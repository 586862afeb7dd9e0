// The pages of the project as they are read: README.md and those in docs/.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/content.h"

namespace flash_steps {

inline std::filesystem::path source_root() { return FLASH_STEPS_SOURCE_DIR; }

inline std::vector<std::filesystem::path> all_pages() {
  std::vector<std::filesystem::path> pages = {source_root() / "README.md"};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(source_root() / "docs")) {
    if (entry.path().extension() == ".md") pages.push_back(entry.path());
  }
  std::sort(pages.begin(), pages.end());
  return pages;
}

/// Without what lies between two marks, and without these; to the end where the second is missing.
inline std::string without(std::string text, const std::string& from, const std::string& to) {
  for (size_t begin; (begin = text.find(from)) != std::string::npos;) {
    const size_t end = text.find(to, begin + from.size());
    text.erase(begin, end == std::string::npos ? end : end + to.size() - begin);
  }
  return text;
}

/// What was typed: without the blocks that are made from results, and without code.
inline std::string typed(std::string text) {
  for (size_t begin = 0; (begin = text.find("<!-- ", begin)) != std::string::npos;) {
    const size_t name_end = text.find(' ', begin + 5);
    const std::string name = text.substr(begin + 5, name_end - begin - 5);
    const std::string closing = "<!-- /" + name + " -->";
    const size_t end = text.find(closing, begin);
    if (end == std::string::npos) {
      begin += 5;
    } else {
      text.erase(begin, end + closing.size() - begin);
    }
  }
  return without(text, "```", "```");
}

}  // namespace flash_steps
