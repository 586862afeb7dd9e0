// What a machine that watches saw of a launch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/machine/counters.h"

namespace flash_steps {

/// Counters of one source line.
struct LineCounters {
  std::string file;
  int line = 0;
  std::string word;  ///< "ldmatrix_x4", as the line calls it
  uint64_t instructions = 0;
  uint64_t wavefronts = 0;
  uint64_t ideal_wavefronts = 0;
  uint64_t sectors = 0;
};

/// Counters of one launch of several.
struct LaunchCounters {
  std::string function;  ///< "scores", without its template arguments
  Counters counters;

  bool operator==(const LaunchCounters&) const = default;
};

/// What the emulator found out about the launches of a kernel.
struct Observation {
  Counters counters;                     ///< of all of them: distinct bytes, too, are those of each launch added up
  std::vector<LaunchCounters> launches;  ///< in order; empty for a kernel that is one launch
  std::vector<LineCounters> lines;       ///< by launch, file and line
  std::vector<std::string> hazards;      ///< a paragraph each; empty for a correct kernel
};

}  // namespace flash_steps
