// The fragment explorer: which lane holds which element of a matrix, in which of its registers, as the emulator's words
// put them there.
#pragma once

#include <string>
#include <vector>

#include "harness/site/frame.h"

namespace flash_steps {

/// Where an element is held.
struct Held {
  int lane = -1;  ///< or, of a warpgroup, the thread
  int reg = -1;
  int half = 0;  ///< 0: the lower 16 bits, 1: the upper; 0 for elements of 32 bits
};

struct OperandMap {
  std::string name;         ///< "A", as in the choice
  std::string explanation;  ///< one sentence
  int rows;
  int columns;
  int registers;           ///< of a lane
  bool is_wide;            ///< elements of 32 bits
  std::vector<Held> held;  ///< by row, then column
  int threads = 32;        ///< that hold it
};

/// Found out by running the words.
std::vector<OperandMap> fragments();

Framed fragments_page();

}  // namespace flash_steps
