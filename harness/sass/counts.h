// What a kernel became in a GPU's own instructions: counted, for the whole kernel and for its main loop.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/sass/listing.h"

namespace flash_steps {

/// By the names in counted_names(), each of them present; of a stored file those that it has.
using InstructionCounts = std::map<std::string, int>;

/// What is counted, in the order in which tables show it: mnemonics, and "total" for all there are, the NOPs that fill
/// up a kernel's end included. MOV is any copy of a register, IMAD.MOV included; IMAD is what is left of IMAD.
const std::vector<std::string>& counted_names();

/// Whether GPUs before Hopper do not have it.
bool is_of_hopper(const std::string& name);

/// Whether it was not counted from the beginning: files from before lack it.
bool is_counted_since(const std::string& name);

struct MachineCode {
  DeviceFunction function;
  InstructionCounts whole_kernel;
  InstructionCounts main_loop;  ///< all 0 if there is no loop that multiplies
  /// The different instructions that touch global memory: LDG, STG and LDGSTS with their suffixes.
  std::set<std::string> global_accesses;
};

InstructionCounts count_instructions(const std::vector<Instruction>& instructions);

MachineCode machine_code(const DeviceFunction& function, const std::vector<Instruction>& instructions);

}  // namespace flash_steps
