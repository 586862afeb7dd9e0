// What one warp executes: the machine code put in order, from the first instruction of a CTA to its last.
//
// A branch's condition is not known without running the code, and need not be: these kernels branch the same way for
// every warp. Three rules tell where. A forward branch around a call (the slow path of a division) is taken. One around
// copies alone is not, but in the loop's last pass, which has no next tile to copy. The loop is passed through as often
// as the products of the tiles ask for.
#pragma once

#include <vector>

#include "harness/predict/code/instruction.h"

namespace flash_steps {

/// A place in the main loop.
struct LoopStep {
  int index;         ///< of the instruction
  bool not_in_last;  ///< the last pass does without it
};

struct Program {
  std::vector<DecodedInstruction> code;
  std::vector<int> prologue;  ///< indices, in the order of execution
  std::vector<LoopStep> loop;
  std::vector<int> epilogue;

  /// How often a warp passes through the loop for so many tiles, with so many products (HMMA) a tile. Throws
  /// std::runtime_error unless the code's products come to that for a whole number of passes.
  int passes(int tiles, int products_of_tile) const;
};

/// Throws std::runtime_error, with a sentence, for code that has no main loop or that the rules above do not order.
Program program_of(std::vector<DecodedInstruction> code);

}  // namespace flash_steps
