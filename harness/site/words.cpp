#include "harness/site/words.h"

#include <algorithm>
#include <cctype>

#include "harness/contract/source.h"

namespace flash_steps {
namespace {

constexpr const char* comment = "/// ";

bool is_name_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Of "__device__ __forceinline__ void ldmatrix_x4(…": the name in front of the first parenthesis.
std::string declared_name(const std::string& line) {
  const size_t open = line.find('(');
  if (!line.starts_with("__device__") || open == std::string::npos) return "";
  size_t begin = open;
  while (begin > 0 && is_name_character(line[begin - 1])) begin--;
  return line.substr(begin, open - begin);
}

}  // namespace

ExplainedWords explained_words(const std::vector<std::string>& lines, const std::string& file) {
  ExplainedWords words;
  std::string text;
  for (size_t i = 0; i < lines.size(); i++) {
    const std::string& line = lines[i];
    const std::string name = declared_name(line);
    if (line.starts_with(comment)) {
      text += (text.empty() ? "" : " ") + line.substr(4);
    } else if (!name.empty() && !text.empty()) {
      words.insert({name, {text, file, static_cast<int>(i) + 1}});
      text.clear();
    } else if (!line.starts_with("template")) {
      text.clear();
    }
  }
  return words;
}

ExplainedWords read_words(const std::filesystem::path& root) {
  ExplainedWords all;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(root / "kernels", error)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("isa") || entry.path().extension() != ".cuh") continue;
    all.merge(explained_words(read_lines(entry.path()), "kernels/" + name));
  }
  return all;
}

std::vector<std::string> names_in(const std::string& line) {
  std::vector<std::string> names;
  for (size_t i = 0; i < line.size();) {
    if (line.compare(i, 2, "//") == 0) break;
    size_t end = i;
    while (end < line.size() && is_name_character(line[end])) end++;
    const std::string name = line.substr(i, end - i);
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    i = std::max(end, i + 1);
  }
  return names;
}

}  // namespace flash_steps
