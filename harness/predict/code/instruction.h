// An instruction as the model of an SM sees it: which unit it keeps busy, what it waits for and what waits for it.
#pragma once

#include <string>
#include <vector>

#include "harness/predict/code/encoded.h"

namespace flash_steps {

/// What executes an instruction. The memory instructions share the way to shared memory and L1.
enum class Unit {
  tensor,        ///< HMMA
  fp32,          ///< FFMA, FADD, FMUL
  imad,          ///< IMAD, on half of the lanes of fp32
  alu,           ///< integers, logic, comparisons, conversions, moves
  mufu,          ///< powers of two, reciprocals
  ldmatrix,      ///< LDSM
  shared_load,   ///< LDS
  shared_store,  ///< STS
  shuffle,       ///< SHFL
  copy,          ///< LDGSTS, global memory to shared memory
  global_store,  ///< STG
  global_load,   ///< LDG
  local,         ///< LDL, STL: spilled registers
  commit,        ///< LDGDEPBAR, which ends a group of copies
  copy_wait,     ///< DEPBAR, which waits for groups of copies
  barrier,       ///< BAR
  branch,        ///< BRA, CALL, RET and what keeps threads together
  uniform,       ///< the unit for values that a warp has once
  special,       ///< S2R, LDC and others whose latency is not fixed
  exit,          ///< EXIT
  none           ///< NOP, and what a predicate turns off
};

const char* name_of(Unit unit);

/// The registers that one operand reads, and its place among the operands: .reuse keeps a place.
struct Operand {
  int place = 0;
  int first = 0;
  int count = 1;
  bool reuse = false;
};

struct DecodedInstruction {
  Unit unit = Unit::none;
  std::string opcode;  ///< with its suffixes
  Control control;
  bool is_conditional = false;    ///< it has a predicate other than PT
  int target = -1;                ///< of a branch, as an index
  int registers = 1;              ///< of a lane, that a memory instruction moves
  int count = 0;                  ///< of DEPBAR: groups that may be open
  std::vector<Operand> operands;  ///< that are registers
  int line = 0;
};

/// Throws std::runtime_error that names the instruction if it is not known: a guess would be a wrong time.
DecodedInstruction decode(const EncodedInstruction& instruction);

std::vector<DecodedInstruction> decode(const std::vector<EncodedInstruction>& instructions);

}  // namespace flash_steps
