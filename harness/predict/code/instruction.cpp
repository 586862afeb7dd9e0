#include "harness/predict/code/instruction.h"

#include <charconv>
#include <map>
#include <stdexcept>
#include <string_view>

#include "harness/base/text.h"

namespace flash_steps {
namespace {

// After Nsight Compute's Profiling Guide ("Metrics Decoder", "Pipelines") and the CUDA Binary Utilities ("Instruction
// Set Reference", Ampere and Hopper). MOV, CS2R, F2FP and PRMT count as ALU: the distances that ptxas leaves between
// two of them are those of ALU instructions.
const std::map<std::string, Unit>& units() {
  static const std::map<std::string, Unit> units{
      {"HMMA", Unit::tensor},   {"FFMA", Unit::fp32},      {"FADD", Unit::fp32},        {"FMUL", Unit::fp32},
      {"IMAD", Unit::imad},     {"IADD3", Unit::alu},      {"LOP3", Unit::alu},         {"SHF", Unit::alu},
      {"LEA", Unit::alu},       {"FMNMX", Unit::alu},      {"SEL", Unit::alu},          {"FSEL", Unit::alu},
      {"ISETP", Unit::alu},     {"FSETP", Unit::alu},      {"PRMT", Unit::alu},         {"MOV", Unit::alu},
      {"F2FP", Unit::alu},      {"VIADD", Unit::alu},      {"PLOP3", Unit::alu},        {"CS2R", Unit::alu},
      {"IMNMX", Unit::alu},     {"VIMNMX", Unit::alu},     {"VIADDMNMX", Unit::alu},    {"IABS", Unit::alu},
      {"BMSK", Unit::alu},      {"SGXT", Unit::alu},       {"P2R", Unit::alu},          {"R2P", Unit::alu},
      {"MUFU", Unit::mufu},     {"LDSM", Unit::ldmatrix},  {"LDS", Unit::shared_load},  {"STS", Unit::shared_store},
      {"SHFL", Unit::shuffle},  {"LDGSTS", Unit::copy},    {"STG", Unit::global_store}, {"LDG", Unit::global_load},
      {"LDL", Unit::local},     {"STL", Unit::local},      {"LDGDEPBAR", Unit::commit}, {"DEPBAR", Unit::copy_wait},
      {"BAR", Unit::barrier},   {"BRA", Unit::branch},     {"CALL", Unit::branch},      {"RET", Unit::branch},
      {"BSSY", Unit::branch},   {"BSYNC", Unit::branch},   {"WARPSYNC", Unit::branch},  {"S2R", Unit::special},
      {"S2UR", Unit::special},  {"LDC", Unit::special},    {"ULDC", Unit::uniform},     {"R2UR", Unit::special},
      {"FCHK", Unit::special},  {"I2F", Unit::special},    {"F2I", Unit::special},      {"I2FP", Unit::alu},
      {"UMOV", Unit::uniform},  {"UIADD3", Unit::uniform}, {"UIMAD", Unit::uniform},    {"ULOP3", Unit::uniform},
      {"USHF", Unit::uniform},  {"ULEA", Unit::uniform},   {"USEL", Unit::uniform},     {"UISETP", Unit::uniform},
      {"UPRMT", Unit::uniform}, {"EXIT", Unit::exit},      {"NOP", Unit::none}};
  return units;
}

std::string without_suffixes(const std::string& opcode) { return opcode.substr(0, opcode.find('.')); }

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// "@!P0 " and "@UP1 " in front; PT is always true.
bool strip_predicate(std::string& text, bool& off) {
  if (!text.starts_with("@")) return false;
  const size_t end = text.find(' ');
  const std::string predicate = text.substr(1, end - 1);
  text = text.substr(text.find_first_not_of(' ', end));
  off = predicate == "!PT" || predicate == "!UPT";
  return predicate != "PT" && predicate != "UPT";
}

int number(const std::string& text, int base = 10) {
  int value = 0;
  const size_t at = base == 16 && text.starts_with("0x") ? 2 : 0;
  std::from_chars(text.data() + at, text.data() + text.size(), value, base);
  return value;
}

// Registers R0 to R254 in an operand such as "-|R12.reuse|" or "desc[UR4][R2.64+0x80]"; RZ has no number, UR is
// another file.
void add_registers(const std::string& operand, int place, int width, std::vector<Operand>& operands) {
  for (size_t i = 0; i + 1 < operand.size(); i++) {
    const bool begins = i == 0 || !((operand[i - 1] >= 'A' && operand[i - 1] <= 'Z') || operand[i - 1] == '_');
    if (operand[i] != 'R' || !is_digit(operand[i + 1]) || !begins) continue;
    const std::string rest = operand.substr(i + 1);
    const std::string after = rest.substr(
        rest.find_first_not_of("0123456789") == std::string::npos ? rest.size() : rest.find_first_not_of("0123456789"));
    operands.push_back({place, number(rest), after.starts_with(".64") ? 2 : width, after.starts_with(".reuse")});
  }
}

// Registers in the operand at a place, of those that are read.
int width_of(const DecodedInstruction& instruction, size_t place) {
  constexpr int products[] = {4, 2, 4};  // A, B and C of an m16n8k16
  switch (instruction.unit) {
    case Unit::tensor:
      return place < 3 ? products[place] : 1;
    case Unit::imad:
      return place == 2 && has(instruction.opcode, ".WIDE") ? 2 : 1;
    case Unit::global_store:
    case Unit::shared_store:
      return place == 1 ? instruction.registers : 1;
    default:
      return 1;
  }
}

// What is read stands behind what is written, but where nothing is.
bool writes_nothing(Unit unit) {
  return unit == Unit::shared_store || unit == Unit::global_store || unit == Unit::copy || unit == Unit::branch ||
         unit == Unit::barrier || unit == Unit::copy_wait || unit == Unit::exit || unit == Unit::commit;
}

int registers_of(const std::string& opcode, Unit unit) {
  if (unit == Unit::ldmatrix) return has(opcode, ".4") ? 4 : has(opcode, ".2") ? 2 : 1;
  return has(opcode, ".128") ? 4 : has(opcode, ".64") ? 2 : 1;
}

// The parts between commas that are not within brackets.
std::vector<std::string> operands_of(const std::string& text) {
  std::vector<std::string> parts;
  for (const std::string& part : split(text, ',')) {
    const size_t begin = part.find_first_not_of(' ');
    parts.push_back(begin == std::string::npos ? "" : part.substr(begin));
  }
  return parts;
}

}  // namespace

const char* name_of(Unit unit) {
  constexpr const char* names[] = {"tensor",      "fp32",         "imad",      "alu",     "mufu",         "ldmatrix",
                                   "shared load", "shared store", "shuffle",   "copy",    "global store", "global load",
                                   "local",       "commit",       "copy wait", "barrier", "branch",       "uniform",
                                   "special",     "exit",         "none"};
  return names[static_cast<int>(unit)];
}

DecodedInstruction decode(const EncodedInstruction& instruction) {
  DecodedInstruction decoded;
  decoded.control = control_of(instruction.control);
  decoded.line = instruction.line;
  std::string text = instruction.text;
  bool off = false;
  decoded.is_conditional = strip_predicate(text, off);
  const size_t space = text.find(' ');
  decoded.opcode = text.substr(0, space);
  const auto unit = units().find(without_suffixes(decoded.opcode));
  if (unit == units().end()) {
    throw std::runtime_error("the instruction " + instruction.text + " is not known to the predictor; code without " +
                             without_suffixes(decoded.opcode) + " would work");
  }
  if (off) return decoded;
  decoded.unit = unit->second;
  decoded.registers = registers_of(decoded.opcode, decoded.unit);
  if (space == std::string::npos) return decoded;
  if (const size_t at = text.find('@');
      decoded.unit == Unit::branch && at != std::string::npos && text[at + 1] != '?') {
    decoded.target = number(text.substr(at + 1));
  }
  std::vector<std::string> parts = operands_of(text.substr(space + 1));
  if (decoded.unit == Unit::copy_wait && parts.size() > 1) decoded.count = number(parts[1], 16);
  if (!writes_nothing(decoded.unit)) parts.erase(parts.begin());
  for (size_t i = 0; i < parts.size(); i++) {
    add_registers(parts[i], static_cast<int>(i), width_of(decoded, i), decoded.operands);
  }
  return decoded;
}

std::vector<DecodedInstruction> decode(const std::vector<EncodedInstruction>& instructions) {
  std::vector<DecodedInstruction> decoded;
  decoded.reserve(instructions.size());
  for (const EncodedInstruction& instruction : instructions) decoded.push_back(decode(instruction));
  return decoded;
}

}  // namespace flash_steps
