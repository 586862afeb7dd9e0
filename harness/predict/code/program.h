// What one warp executes: the machine code put in order, from the first instruction of a CTA to its last.
//
// A branch's condition is not known without running the code, and need not be: these kernels branch the same way for
// every warp. Three rules tell where. A forward branch around a call (the slow path of a division) is taken. One around
// copies alone is not, but in a CTA's last pass, which has no next tile to copy. The loop is passed through as often
// as the products of the tiles ask for.
//
// A kernel with a mask has the loop twice: first for the tiles of which some rows do not see all keys, then without the
// mask for the others. How many are masked follows from the problem (ctas.h).
#pragma once

#include <vector>

#include "harness/predict/code/instruction.h"

namespace flash_steps {

/// A place in the code's order.
struct OrderStep {
  int index;          ///< of the instruction
  bool not_in_last;   ///< the last pass of its loop does without it
  bool of_next_tile;  ///< it copies the next tile: the last of a CTA does without it
};

/// How often a warp passes through the loops.
struct Passes {
  int masked = 0;
  int unmasked = 0;
};

struct Program {
  std::vector<DecodedInstruction> code;
  std::vector<OrderStep> prologue;  ///< in the order of execution
  std::vector<OrderStep> masked;    ///< the loop with a mask; empty where there is none
  std::vector<OrderStep> between;   ///< those two loops
  std::vector<OrderStep> loop;
  std::vector<OrderStep> epilogue;

  /// How often a warp passes through the loops for so many tiles, with so many products (HMMA) a tile, of which so many
  /// are passes of the loop with a mask. Throws std::runtime_error unless the code's products come to that for a whole
  /// number of passes.
  Passes passes(int tiles, int products_of_tile, int masked = 0) const;
};

/// Throws std::runtime_error, with a sentence, for code that has no main loop or that the rules above do not order.
Program program_of(std::vector<DecodedInstruction> code);

}  // namespace flash_steps
