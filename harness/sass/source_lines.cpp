#include "harness/sass/source_lines.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>
#include <sstream>

#include "harness/base/text.h"

namespace flash_steps {
namespace {

constexpr int instruction_bytes = 16;  // from Volta on
constexpr const char* place_mark = "//## File \"";

// The line of `//## File "/path/01_base.cu", line 61 inlined at …` if it is one of this file, otherwise 0.
int line_of_file(const std::string& text, const std::string& file) {
  const size_t begin = text.find('"') + 1;
  const size_t end = text.find('"', begin);
  const std::string path = text.substr(begin, end - begin);
  if (path != file && !path.ends_with("/" + file)) return 0;
  const std::string label = "\", line ";
  int line = 0;
  if (text.compare(end, label.size(), label) == 0) {
    std::from_chars(text.data() + end + label.size(), text.data() + text.size(), line);
  }
  return line;
}

// "/*0a30*/  @!P0 BRA `(.L_x_12) ;" without its address and its end; empty for any other line.
std::string instruction_text(const std::string& line) {
  const size_t close = line.find("*/");
  if (!line.starts_with("/*") || close == std::string::npos) return "";
  const size_t begin = line.find_first_not_of(" \t", close + 2);
  if (begin == std::string::npos || line.compare(begin, 2, "/*") == 0) return "";
  return trimmed(line.substr(begin, line.find(';') - begin));
}

// Labels by the addresses that they stand for.
std::string with_addresses(std::string text, const std::map<std::string, int>& labels) {
  const size_t begin = text.find("`(");
  const size_t end = text.find(')', begin);
  if (begin == std::string::npos || end == std::string::npos) return text;
  const auto label = labels.find(text.substr(begin + 2, end - begin - 2));
  if (label == labels.end()) return text;
  char address[16];
  std::snprintf(address, sizeof address, "0x%x", static_cast<unsigned>(label->second));
  return text.replace(begin, end + 1 - begin, address);
}

class PlacedListing {
 public:
  explicit PlacedListing(std::string file) : file_(std::move(file)) {}

  void read(const std::string& line) {
    if (line.starts_with(place_mark)) {
      read_place(line);
    } else if (line.starts_with(".L_") && line.ends_with(":")) {
      labels_[line.substr(0, line.size() - 1)] = static_cast<int>(instructions_.size()) * instruction_bytes;
    } else if (const std::string text = instruction_text(line); !text.empty()) {
      instructions_.push_back({place_, text});
      begins_ = true;
    }
  }

  std::vector<PlacedInstruction> take() {
    for (PlacedInstruction& instruction : instructions_) {
      instruction.text = with_addresses(instruction.text, labels_);
    }
    return std::move(instructions_);
  }

 private:
  // Several in front of an instruction go from the function inlined last outwards; a line names where it was inlined,
  // which the next one repeats.
  void read_place(const std::string& line) {
    if (begins_) place_.clear();
    begins_ = false;
    const int at = line_of_file(line, file_);
    const bool is_new = at != 0 && (place_.empty() || place_.front() != at);
    if (is_new) place_.insert(place_.begin(), at);
  }

  std::string file_;
  std::vector<PlacedInstruction> instructions_;
  std::map<std::string, int> labels_;
  std::vector<int> place_;
  bool begins_ = true;  // an instruction came since the last place
};

}  // namespace

std::vector<PlacedInstruction> parse_placed(const std::string& listing, const std::string& symbol,
                                            const std::string& file) {
  PlacedListing placed(file);
  const std::string section = "\t.section\t.text." + symbol + ",";
  bool inside = false;
  std::istringstream lines(listing);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("\t.section\t")) inside = line.starts_with(section);
    const size_t begin = line.find_first_not_of(" \t");
    if (inside && begin != std::string::npos) placed.read(line.substr(begin));
  }
  return placed.take();
}

}  // namespace flash_steps
