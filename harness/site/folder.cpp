#include "harness/site/folder.h"

#include <fstream>
#include <iterator>
#include <set>

#include "harness/base/error.h"
#include "harness/base/file.h"
#include "harness/base/text.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

// Lists what was written, a file a line: it makes the folder one of ours.
constexpr const char* list_name = ".flash-steps-site";

std::set<std::string> listed(const fs::path& folder) {
  std::ifstream stream(folder / list_name);
  std::set<std::string> names;
  for (std::string line; std::getline(stream, line);) {
    const fs::path path(line);
    // A list that was written by somebody else must not lead out of the folder.
    const bool is_inside = path.is_relative() && *path.begin() != ".." && path.lexically_normal() == path;
    if (!line.empty() && is_inside) names.insert(line);
  }
  return names;
}

std::string content_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

void check_site_folder(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return;
  if (!fs::is_directory(folder, error)) {
    throw UsageError("--site=" + folder.string() + " is a file; a folder, empty or not there yet, would work");
  }
  const bool is_empty = fs::directory_iterator(folder, error) == fs::directory_iterator();
  if (!is_empty && !fs::exists(folder / list_name, error)) {
    throw UsageError("--site=" + folder.string() +
                     " holds files that are no site of this program, and is left as it is; an empty folder would work");
  }
}

void write_site(const SiteFiles& files, const fs::path& folder) {
  check_site_folder(folder);
  try {
    fs::create_directories(folder);
    std::string list;
    for (const auto& [name, text] : files) list += name + "\n";
    const std::set<std::string> before = listed(folder);
    write_file(list, folder / list_name);  // first: what is half written is a site of ours, too
    for (const std::string& name : before) {
      if (!files.contains(name)) fs::remove(folder / name);
    }
    for (const auto& [name, text] : files) {
      const fs::path file = folder / name;
      if (fs::exists(file) && content_of(file) == text) continue;
      fs::create_directories(file.parent_path());
      write_file(text, file);
    }
  } catch (const std::runtime_error& error) {
    throw MachineError("the site cannot be written to " + folder.string() + ": " + error.what());
  }
}

}  // namespace flash_steps
