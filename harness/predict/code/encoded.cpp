#include "harness/predict/code/encoded.h"

#include <charconv>
#include <cstdio>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace flash_steps {
namespace {

constexpr int control_shift = 105 - 64;  // within the upper half of an instruction
constexpr uint32_t control_mask = (1u << 21) - 1;

std::string trimmed_both(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin));
}

template <typename T>
T number_in(std::string_view text, int base) {
  T value{};
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

// The parts of what nvdisasm prints, a line at a time.
class Reader {
 public:
  explicit Reader(const std::string& source) : source_("/" + source + "\"") {}

  void read(const std::string& line) {
    const std::string text = trimmed_both(line);
    if (text.starts_with(".section\t") || text.starts_with(".section ")) {
      begin_section(text);
    } else if (in_code_ && text.starts_with("//## File")) {
      read_place(text);
    } else if (in_code_ && text.starts_with("/*")) {
      read_instruction(text);
    } else if (in_code_ && text.ends_with(":") && (text.front() == '.' || text.front() == '$')) {
      labels_[text.substr(0, text.size() - 1)] = static_cast<int>(functions_.back().instructions.size());
    }
  }

  std::vector<EncodedFunction> finish() {
    end_section();
    return std::move(functions_);
  }

 private:
  void begin_section(const std::string& text) {
    end_section();
    const size_t at = text.find(".text.");
    in_code_ = at != std::string::npos;
    if (!in_code_) return;
    const size_t begin = at + 6;
    functions_.push_back({text.substr(begin, text.find(',', begin) - begin), {}});
    line_ = 0;
  }

  // Branches name labels, which are all known only now.
  void end_section() {
    if (in_code_) {
      for (EncodedInstruction& instruction : functions_.back().instructions) resolve(instruction.text);
    }
    labels_.clear();
    in_code_ = false;
  }

  void resolve(std::string& text) const {
    const size_t open = text.find("`(");
    if (open == std::string::npos) return;
    const size_t close = text.find(')', open);
    const auto label = labels_.find(text.substr(open + 2, close - open - 2));
    text = text.substr(0, open) + (label == labels_.end() ? "@?" : "@" + std::to_string(label->second));
  }

  // Several of these lines name one place and, one below the other, what it was inlined into.
  void read_place(const std::string& text) {
    if (!in_place_) line_ = 0;
    in_place_ = true;
    const size_t end = text.find(source_);
    if (line_ != 0 || end == std::string::npos || end > text.find(" inlined at ")) return;
    const size_t at = end + source_.size() + std::string_view(", line ").size();
    if (at < text.size()) line_ = number_in<int>(std::string_view(text).substr(at), 10);
  }

  // "/*0a30*/ @!P0 BRA `(.L_x_3) ; /* 0x… */" and, below it, the upper half: "/* 0x… */".
  void read_instruction(const std::string& text) {
    const size_t word = text.rfind("/* 0x");
    if (word == std::string::npos) return;
    const uint64_t half = number_in<uint64_t>(std::string_view(text).substr(word + 5, 16), 16);
    std::vector<EncodedInstruction>& instructions = functions_.back().instructions;
    if (word == 0) {
      if (!instructions.empty()) instructions.back().control = (half >> control_shift) & control_mask;
      return;
    }
    const size_t begin = text.find("*/") + 2;
    instructions.push_back({trimmed_both(std::string_view(text).substr(begin, text.rfind(';') - begin)), 0, line_});
    in_place_ = false;
  }

  const std::string source_;
  std::vector<EncodedFunction> functions_;
  std::map<std::string, int> labels_;
  bool in_code_ = false;
  bool in_place_ = false;
  int line_ = 0;
};

}  // namespace

Control control_of(uint32_t bits) {
  const auto barrier = [&](int shift) {
    const int index = bits >> shift & 7;
    return index == 7 ? -1 : index;
  };
  return {.stall = static_cast<int>(bits & 15),
          .yield = (bits >> 4 & 1) == 0,
          .write_barrier = barrier(5),
          .read_barrier = barrier(8),
          .wait = static_cast<int>(bits >> 11 & 63),
          .reuse = static_cast<int>(bits >> 17 & 15)};
}

std::vector<EncodedFunction> parse_encoded(const std::string& listing, const std::string& source) {
  Reader reader(source);
  std::istringstream lines(listing);
  for (std::string line; std::getline(lines, line);) reader.read(line);
  return reader.finish();
}

std::string text_of(const std::vector<EncodedInstruction>& instructions) {
  std::string text;
  for (const EncodedInstruction& instruction : instructions) {
    char head[32];
    std::snprintf(head, sizeof head, "%06x %d ", static_cast<unsigned>(instruction.control), instruction.line);
    text += head + instruction.text + "\n";
  }
  return text;
}

std::vector<EncodedInstruction> instructions_of(const std::string& text) {
  std::vector<EncodedInstruction> instructions;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    EncodedInstruction instruction;
    const char* const end = line.data() + line.size();
    const auto [control_end, control_error] = std::from_chars(line.data(), end, instruction.control, 16);
    const bool has_line = control_error == std::errc{} && control_end < end && *control_end == ' ';
    const auto [line_end, line_error] = has_line ? std::from_chars(control_end + 1, end, instruction.line)
                                                 : std::from_chars_result{end, std::errc::invalid_argument};
    if (line_error != std::errc{} || end - line_end < 2 || instruction.control > control_mask) {
      throw std::invalid_argument("\"" + line + "\" is no instruction; one such as \"07e0ff 120 MOV R1, R2\" would be");
    }
    instruction.text.assign(line_end + 1, end);
    instructions.push_back(std::move(instruction));
  }
  return instructions;
}

}  // namespace flash_steps
