// Acts for the 32 lanes of a warp at once.
#pragma once

#include <array>

#include "harness/emulator/memory/global_memory.h"
#include "harness/emulator/memory/shared_memory.h"
#include "harness/emulator/words/operation.h"

namespace flash_steps::emulator {

/// What the lanes of a warp parked with: all the same word from the same line.
using WarpOperation = std::array<const Operation*, warp_lanes>;

/// Executes and counts the word. barrier() is only counted: it takes the other warps too.
void execute(const WarpOperation& lanes, int warp, Site& site, SharedMemory& shared, GlobalMemory& global);

}  // namespace flash_steps::emulator
