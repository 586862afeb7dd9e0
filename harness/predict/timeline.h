// A few tiles of a CTA as a timeline: a track for each warp of a sub-core with its instructions and their source lines,
// and a track for each pipe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/predict/predict.h"

namespace flash_steps {

/// What a track shows from one cycle to another.
struct TimelineSpan {
  std::string name;    ///< the opcode; "copied data" where a copy's data comes back through shared memory
  int64_t begin = 0;   ///< in cycles from the timeline's start
  int64_t cycles = 1;  ///< of a warp: until it may issue again; of a pipe: that it is busy
  int line = 0;        ///< of the kernel's file; 0: unknown
  Unit unit = Unit::none;
};

struct TimelineTrack {
  std::string name;  ///< "warp of CTA 0", "tensor"
  bool is_pipe = false;
  std::vector<TimelineSpan> spans;  ///< in the order of their beginnings; of one track they do not overlap
};

/// Of one sub-core, a quarter of an SM: its warps, one of each CTA that is resident, and then its pipes. Shared memory,
/// which the four sub-cores have together, is shown with what it does for all of them.
struct Timeline {
  std::string kernel;
  std::string config;
  std::string gpu;
  int tiles = 0;
  int64_t cycles = 0;
  std::vector<TimelineTrack> tracks;
};

/// From the middle of the CTAs that start first, for as long as the first CTA takes for so many tiles; a pass through
/// the loop counts as one.
Timeline timeline_of(const Predictor& predictor, const std::string& kernel, const TileShape& tile, const Card& card,
                     int tiles);

/// In the Chrome trace format, which Perfetto (ui.perfetto.dev) and chrome://tracing open; a microsecond of the file is
/// a cycle. As write_file() does.
void write_timeline(const Timeline& timeline, const std::filesystem::path& file);

}  // namespace flash_steps
