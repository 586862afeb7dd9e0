// The bank map: where in shared memory the lanes of a word point, and how many wavefronts that takes by the emulator's
// own count.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/site/frame.h"

namespace flash_steps {

/// A word, a way in which rows follow each other, and a swizzle.
struct BankCase {
  std::string word;     ///< "ldmatrix_x4"
  int row_bytes;        ///< from one row to the next
  std::string swizzle;  ///< "none" or what the place of a chunk becomes
  int width;            ///< bytes of a lane
  std::array<uint32_t, 32> addresses;
  std::vector<int> phases;  ///< the wavefronts of each
  int wavefronts;           ///< of the whole word
  int ideal;
};

/// All that the instrument offers.
std::vector<BankCase> bank_cases();

Framed bank_map_page();

}  // namespace flash_steps
