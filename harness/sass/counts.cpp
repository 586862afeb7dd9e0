#include "harness/sass/counts.h"

namespace flash_steps {
namespace {

std::string counted_as(const std::string& opcode) { return opcode.starts_with("IMAD.MOV") ? "MOV" : mnemonic(opcode); }

}  // namespace

const std::vector<std::string>& counted_names() {
  static const std::vector<std::string> names{
      "HMMA", "LDSM",  "LDGSTS", "IADD3",     "LOP3",    "SHF",     "LEA",   "IMAD",       "MOV",  "FMUL",
      "FADD", "FFMA",  "FMNMX",  "MUFU",      "CS2R",    "R2UR",    "LDL",   "STL",        "LDG",  "LDS",
      "STS",  "HADD2", "HGMMA",  "WARPGROUP", "UTMALDG", "UTMASTG", "SYNCS", "USETMAXREG", "STSM", "total"};
  return names;
}

bool is_of_hopper(const std::string& name) {
  static const std::set<std::string> names{"HGMMA", "WARPGROUP", "UTMALDG", "UTMASTG", "SYNCS", "USETMAXREG", "STSM"};
  return names.contains(name);
}

bool is_counted_since(const std::string& name) {
  return name == "LDG" || name == "LDS" || name == "STS" || name == "HADD2" || is_of_hopper(name);
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

MachineCode machine_code(const DeviceFunction& function, const std::vector<Instruction>& instructions) {
  MachineCode code{function, count_instructions(instructions), count_instructions(main_loop(instructions)), {}};
  for (const Instruction& instruction : instructions) {
    const std::string name = mnemonic(instruction.opcode);
    if (name == "LDG" || name == "STG" || name == "LDGSTS") code.global_accesses.insert(instruction.opcode);
  }
  return code;
}

}  // namespace flash_steps
