#include "harness/contract/chapter.h"

#include <algorithm>
#include <stdexcept>

namespace flash_steps {

const std::vector<Chapter>& chapters() {
  static const std::vector<Chapter> list{
      {"primer", "primer", "p", "The primer: the way to 01", ""},
      {sixteen, "", "", "The sixteen", "primer"},
      {"beyond", "beyond", "", "Beyond the sixteen", sixteen},
      {"variants", "variants", "v", "Variants: other problems", sixteen},
  };
  return list;
}

const Chapter& chapter(const std::string& name) {
  const std::vector<Chapter>& list = chapters();
  const auto found = std::find_if(list.begin(), list.end(), [&](const Chapter& c) { return c.name == name; });
  if (found == list.end()) throw std::out_of_range("there is no chapter " + name);
  return *found;
}

const Chapter* chapter_of_folder(const std::filesystem::path& folder, const std::string& within) {
  if (folder.parent_path().filename() != within) return nullptr;
  const std::vector<Chapter>& list = chapters();
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const Chapter& c) { return c.folder == folder.filename(); });
  return found == list.end() ? nullptr : &*found;
}

}  // namespace flash_steps
