#include "harness/site/markup/quoted.h"

#include <algorithm>
#include <cctype>

#include "harness/base/text.h"

namespace flash_steps {
namespace {

std::string without_indents(const std::string& line) {
  const size_t begin = line.find_first_not_of(" \t");
  return begin == std::string::npos ? "" : trimmed(line.substr(begin));
}

// Braces and the like stand everywhere.
bool says_something(const std::string& line) {
  return std::count_if(line.begin(), line.end(), [](unsigned char c) { return std::isalnum(c) != 0; }) >= 6;
}

}  // namespace

std::vector<int> quoted_lines(const std::vector<std::string>& lines, const std::vector<std::string>& source) {
  std::vector<std::string> known;
  for (const std::string& line : source) known.push_back(without_indents(line));
  std::vector<int> places(lines.size());
  size_t next = 0;  // behind the line that was found last
  for (size_t i = 0; i < lines.size(); i++) {
    const std::string line = without_indents(lines[i]);
    const bool goes_on = i > 0 && places[i - 1] != 0 && next < known.size() && known[next] == line;
    if (!goes_on) {
      if (!says_something(line)) continue;
      auto found = std::find(known.begin() + static_cast<std::ptrdiff_t>(next), known.end(), line);
      if (found == known.end()) found = std::find(known.begin(), known.end(), line);
      if (found == known.end()) continue;
      next = static_cast<size_t>(found - known.begin());
    }
    places[i] = static_cast<int>(++next);
  }
  return places;
}

}  // namespace flash_steps
