#include "harness/contract/source.h"

#include <fstream>

#include "harness/base/folders.h"
#include "harness/base/process.h"

namespace flash_steps {

std::optional<std::filesystem::path> find_source(const Kernel& kernel) {
  namespace fs = std::filesystem;
  std::error_code error;
  for (const fs::path& root : {source_folder(), executable().parent_path().parent_path()}) {
    const fs::path file = root / kernel.source_path();
    if (fs::is_regular_file(file, error)) return file;
  }
  return std::nullopt;
}

std::vector<std::string> read_lines(const std::filesystem::path& file) {
  std::vector<std::string> lines;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace flash_steps
