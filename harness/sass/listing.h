// What cuobjdump prints, read: the functions of a binary and the instructions of one.
#pragma once

#include <optional>
#include <string>
#include <vector>

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

/// From what `cuobjdump -res-usage` prints of a binary.
std::vector<DeviceFunction> parse_functions(const std::string& resource_usage);

/// From what `cuobjdump -sass` prints of one function.
std::vector<Instruction> parse_listing(const std::string& listing);

/// Of the code between a backward branch and its target, that with the most products of matrices (HMMA, HGMMA), and of
/// these the shortest. Where there are none, the code of a loop, without the loops in it, of which FFMA are the largest
/// share. Empty if no loop has any of either.
std::vector<Instruction> main_loop(const std::vector<Instruction>& instructions);

/// "LDSM" of LDSM.16.M88.4.
std::string mnemonic(const std::string& opcode);

}  // namespace flash_steps
