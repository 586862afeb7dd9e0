// What a kernel became in a GPU's own instructions: read from what cuobjdump prints, counted for the whole kernel and
// for its main loop. Nothing here runs a program.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/contract/registry.h"

namespace flash_steps {

struct Instruction {
  int address = 0;            ///< bytes from the start of the kernel
  std::string opcode;         ///< with its suffixes, without its predicate: LDSM.16.M88.4
  std::optional<int> target;  ///< of a branch to a fixed address
};

/// One kernel function of a binary and what cuobjdump says that it needs.
struct DeviceFunction {
  std::string arch;     ///< as in sm_80
  std::string symbol;   ///< mangled
  int registers = 0;    ///< of a thread
  int stack_bytes = 0;  ///< of a thread
};

/// By the names in counted_names(), each of them present.
using InstructionCounts = std::map<std::string, int>;

/// What is counted, in the order in which tables show it: mnemonics, and "total" for all there are, the NOPs that fill
/// up a kernel's end included. MOV is any copy of a register, IMAD.MOV included; IMAD is what is left of IMAD.
const std::vector<std::string>& counted_names();

struct MachineCode {
  DeviceFunction function;
  InstructionCounts whole_kernel;
  InstructionCounts main_loop;  ///< all 0 if there is no loop with products
  /// The different instructions that touch global memory: LDG, STG and LDGSTS with their suffixes.
  std::set<std::string> global_accesses;
};

/// From what `cuobjdump -res-usage` prints of a binary.
std::vector<DeviceFunction> parse_functions(const std::string& resource_usage);

/// From what `cuobjdump -sass` prints of one function.
std::vector<Instruction> parse_listing(const std::string& listing);

InstructionCounts count_instructions(const std::vector<Instruction>& instructions);

/// Of the code between a backward branch and its target, that with the most products of matrices (HMMA), and of these
/// the shortest. Empty if no such code has any.
std::vector<Instruction> main_loop(const std::vector<Instruction>& instructions);

MachineCode machine_code(const DeviceFunction& function, const std::vector<Instruction>& instructions);

/// Whether the symbol is this variant of this kernel. A symbol names the kernel's file, the element type and the
/// template arguments; a config's name holds the same arguments in the same order: numbers as they are, and a true as a
/// word of two or more letters.
bool is_symbol_of(const std::string& symbol, const Kernel& kernel, const Variant& variant);

}  // namespace flash_steps
