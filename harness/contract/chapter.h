// The chapters of the book: folders of kernels, each with a prefix of its own and a place in the order of reading.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace flash_steps {

struct Chapter {
  std::string name;    ///< as in --kernel=NAME; that of the sixteen is "all"
  std::string folder;  ///< below kernels/ and docs/; empty for the sixteen
  std::string prefix;  ///< in front of the numbers of its kernels: "p" of p03_fa1
  std::string title;
  std::string after;  ///< the name of the chapter whose last kernel its first one follows; empty: none
};

/// In the order of reading.
const std::vector<Chapter>& chapters();

/// Throws std::out_of_range for a name that there is not.
const Chapter& chapter(const std::string& name);

/// The chapter that has this folder, which must lie in one of the name `within`: of kernels/primer within "kernels" the
/// primer. nullptr if there is none, as of the sixteen, whose files lie in that folder itself.
const Chapter* chapter_of_folder(const std::filesystem::path& folder, const std::string& within);

/// The chapter of the sixteen.
inline constexpr const char* sixteen = "all";

}  // namespace flash_steps
