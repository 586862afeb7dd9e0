#include "harness/sass/listing.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <sstream>
#include <string_view>

namespace flash_steps {
namespace {

std::string without_indent(const std::string& line) {
  const size_t start = line.find_first_not_of(" \t");
  return start == std::string::npos ? "" : line.substr(start);
}

// The number after the label; 0 if the line does not have it.
int number_after(const std::string& line, const std::string& label) {
  int number = 0;
  const size_t found = line.find(label);
  if (found == std::string::npos) return number;
  std::from_chars(line.data() + found + label.size(), line.data() + line.size(), number);
  return number;
}

// "/*0a30*/  @!P0 BRA 0x120 ;  /* encoding */"; the second line of an encoding has no address in front.
std::optional<Instruction> parse_instruction(const std::string& line) {
  const std::string text = without_indent(line);
  if (!text.starts_with("/*")) return std::nullopt;
  Instruction instruction;
  const char* const end = text.data() + text.size();
  const auto [after, error] = std::from_chars(text.data() + 2, end, instruction.address, 16);
  if (error != std::errc{} || !std::string_view(after, end).starts_with("*/")) return std::nullopt;

  std::istringstream words(std::string(after + 2, std::find(after, end, ';')));
  std::string word;
  words >> word;
  if (word.starts_with("@")) words >> word;
  if (word.empty()) return std::nullopt;
  instruction.opcode = word;
  if (word == "BRA" || word.starts_with("BRA.")) {
    while (words >> word) {  // a branch may name a predicate before its target
      int target = 0;
      if (word.starts_with("0x") &&
          std::from_chars(word.data() + 2, word.data() + word.size(), target, 16).ec == std::errc{}) {
        instruction.target = target;
      }
    }
  }
  return instruction;
}

// The branches that end loops.
std::vector<Instruction> loops_of(const std::vector<Instruction>& instructions) {
  std::vector<Instruction> branches;
  std::copy_if(instructions.begin(), instructions.end(), std::back_inserter(branches),
               [](const Instruction& i) { return i.target && *i.target <= i.address; });
  return branches;
}

bool is_in(const Instruction& instruction, const Instruction& loop) {
  return instruction.address >= *loop.target && instruction.address <= loop.address;
}

std::vector<Instruction> body_of(const Instruction& loop, const std::vector<Instruction>& instructions) {
  std::vector<Instruction> body;
  std::copy_if(instructions.begin(), instructions.end(), std::back_inserter(body),
               [&](const Instruction& i) { return is_in(i, loop); });
  return body;
}

std::ptrdiff_t count_of(const char* name, const std::vector<Instruction>& instructions) {
  return std::count_if(instructions.begin(), instructions.end(),
                       [&](const Instruction& i) { return mnemonic(i.opcode) == name; });
}

// Of a function without tensor cores.
std::vector<Instruction> scalar_loop(const std::vector<Instruction>& instructions) {
  std::vector<Instruction> best;
  double largest = 0;
  const std::vector<Instruction> loops = loops_of(instructions);
  for (const Instruction& loop : loops) {
    std::vector<Instruction> body = body_of(loop, instructions);
    std::erase_if(body, [&](const Instruction& i) {
      return std::any_of(loops.begin(), loops.end(), [&](const Instruction& inner) {
        return inner.address != loop.address && is_in(inner, loop) && *inner.target >= *loop.target && is_in(i, inner);
      });
    });
    const double share = body.empty() ? 0 : double(count_of("FFMA", body)) / body.size();
    if (share <= largest) continue;
    largest = share;
    best = body;
  }
  return best;
}

}  // namespace

std::string mnemonic(const std::string& opcode) { return opcode.substr(0, opcode.find('.')); }

std::vector<DeviceFunction> parse_functions(const std::string& resource_usage) {
  const std::string arch_label = "arch = ";
  const std::string function_label = "Function ";
  std::vector<DeviceFunction> functions;
  DeviceFunction function;
  std::istringstream lines(resource_usage);
  for (std::string line; std::getline(lines, line);) {
    const std::string text = without_indent(line);
    if (text.starts_with(arch_label)) {
      function.arch = text.substr(arch_label.size());
    } else if (text.starts_with(function_label)) {
      function.symbol = text.substr(function_label.size(), text.rfind(':') - function_label.size());
    } else if (text.starts_with("REG:")) {
      function.registers = number_after(text, "REG:");
      function.stack_bytes = number_after(text, "STACK:");
      functions.push_back(function);
    }
  }
  return functions;
}

std::vector<Instruction> parse_listing(const std::string& listing) {
  std::vector<Instruction> instructions;
  std::istringstream lines(listing);
  for (std::string line; std::getline(lines, line);) {
    if (const auto instruction = parse_instruction(line)) instructions.push_back(*instruction);
  }
  return instructions;
}

std::vector<Instruction> main_loop(const std::vector<Instruction>& instructions) {
  std::vector<Instruction> best;
  std::ptrdiff_t most = 0;
  for (const Instruction& branch : loops_of(instructions)) {
    const std::vector<Instruction> body = body_of(branch, instructions);
    const auto count = count_of("HMMA", body) + count_of("HGMMA", body);
    if (count > most || (count == most && count > 0 && body.size() < best.size())) {
      most = count;
      best = body;
    }
  }
  return most > 0 ? best : scalar_loop(instructions);
}

}  // namespace flash_steps
