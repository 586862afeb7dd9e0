#include "harness/sass/machine_code.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <sstream>

#include "harness/contract/problem.h"

namespace flash_steps {
namespace {

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

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

std::string mnemonic(const std::string& opcode) { return opcode.substr(0, opcode.find('.')); }

std::string counted_as(const std::string& opcode) { return opcode.starts_with("IMAD.MOV") ? "MOV" : mnemonic(opcode); }

int products(const std::vector<Instruction>& instructions) { return count_instructions(instructions).at("HMMA"); }

// What decides between the variants of one kernel and type.
struct TemplateArguments {
  std::vector<int> numbers;
  int trues = 0;
  bool operator==(const TemplateArguments&) const = default;
};

int read_number(const std::string& text, size_t& at) {
  int number = 0;
  for (; at < text.size() && is_digit(text[at]); at++) number = number * 10 + (text[at] - '0');
  return number;
}

// "…attentionINS_6fp16_tELi64ELb1EEEv…": the arguments are the Li…E and Lb…E behind the type.
TemplateArguments arguments_of_symbol(const std::string& symbol, size_t behind_type) {
  TemplateArguments arguments;
  size_t at = behind_type;
  while (at + 1 < symbol.size() && symbol[at] == 'L') {
    const bool is_bool = symbol[at + 1] == 'b';
    at += 2;
    const int number = read_number(symbol, at);
    at++;  // the E
    if (!is_bool) {
      arguments.numbers.push_back(number);
    } else if (number != 0) {
      arguments.trues++;
    }
  }
  return arguments;
}

TemplateArguments arguments_of_config(const std::string& config) {
  TemplateArguments arguments;
  for (size_t at = 0; at < config.size();) {
    if (is_digit(config[at])) {
      arguments.numbers.push_back(read_number(config, at));
    } else if (is_letter(config[at])) {
      const size_t start = at;
      while (at < config.size() && is_letter(config[at])) at++;
      if (at - start > 1) arguments.trues++;
    } else {
      at++;
    }
  }
  return arguments;
}

}  // namespace

const std::vector<std::string>& counted_names() {
  static const std::vector<std::string> names{"HMMA", "LDSM", "LDGSTS", "IADD3", "LOP3", "SHF",   "LEA",
                                              "IMAD", "MOV",  "FMUL",   "FADD",  "FFMA", "FMNMX", "MUFU",
                                              "CS2R", "R2UR", "LDL",    "STL",   "total"};
  return names;
}

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

InstructionCounts count_instructions(const std::vector<Instruction>& instructions) {
  InstructionCounts counts;
  for (const std::string& name : counted_names()) counts[name] = 0;
  for (const Instruction& instruction : instructions) {
    const auto count = counts.find(counted_as(instruction.opcode));
    if (count != counts.end()) count->second++;
  }
  counts["total"] = static_cast<int>(instructions.size());
  return counts;
}

std::vector<Instruction> main_loop(const std::vector<Instruction>& instructions) {
  std::vector<Instruction> best;
  int most = 0;
  for (const Instruction& branch : instructions) {
    if (!branch.target || *branch.target > branch.address) continue;
    std::vector<Instruction> body;
    std::copy_if(instructions.begin(), instructions.end(), std::back_inserter(body),
                 [&](const Instruction& i) { return i.address >= *branch.target && i.address <= branch.address; });
    const int count = products(body);
    if (count > most || (count == most && count > 0 && body.size() < best.size())) {
      most = count;
      best = std::move(body);
    }
  }
  return best;
}

MachineCode machine_code(const DeviceFunction& function, const std::vector<Instruction>& instructions) {
  MachineCode code{function, count_instructions(instructions), count_instructions(main_loop(instructions)), {}};
  for (const Instruction& instruction : instructions) {
    const std::string name = mnemonic(instruction.opcode);
    if (name == "LDG" || name == "STG" || name == "LDGSTS") code.global_accesses.insert(instruction.opcode);
  }
  return code;
}

bool is_symbol_of(const std::string& symbol, const Kernel& kernel, const Variant& variant) {
  if (symbol.find("_" + kernel.name + "_cu_") == std::string::npos) return false;
  const std::string type = std::string(name_of(variant.dtype)) + "_tE";
  const size_t found = symbol.find("attentionI");
  const size_t type_at = found == std::string::npos ? found : symbol.find(type, found);
  if (type_at == std::string::npos) return false;
  const TemplateArguments arguments = arguments_of_symbol(symbol, type_at + type.size());
  return arguments == TemplateArguments{} || arguments == arguments_of_config(variant.tile.config);
}

}  // namespace flash_steps
