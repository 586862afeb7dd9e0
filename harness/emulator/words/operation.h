// What a lane asks of its warp when it calls a word.
#pragma once

#include <cstdint>

#include "harness/emulator/words/source_line.h"
#include "harness/emulator/words/word.h"

namespace flash_steps::emulator {

/// The matrix in shared memory that all lanes of a warp name alike.
struct Matrix {
  uint32_t address = 0;
  int row_bytes = 0;  ///< from one row to the next

  bool operator==(const Matrix&) const = default;
};

/// The lane's operands: pointers lead to variables on the stack of the lane, which is parked meanwhile.
struct Operation {
  Word word = Word::none;
  SourceLine line;
  uint32_t smem = 0;            ///< address in shared memory
  const void* from = nullptr;   ///< in global memory, or the registers that are stored
  void* to = nullptr;           ///< in global memory, or the registers that are loaded
  int immediate = 0;            ///< groups that may stay pending; mask of shfl_xor; predicate of a copy or a store
  const uint32_t* a = nullptr;  ///< of mma, as are the rest
  const uint32_t* b = nullptr;
  const float* c = nullptr;
  float* d = nullptr;
  Matrix matrix = {};  ///< of a word of WMMA that loads or stores
};

/// Parks the calling lane until its warp has executed the operation.
void perform(const Operation& operation);

}  // namespace flash_steps::emulator
