// The bound of one variant with all its pipes, as text.
#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "harness/model/bound_stored.h"
#include "harness/model/fa2_speed.h"
#include "harness/sass/built.h"

namespace flash_steps {

/// The main loop of one variant for one architecture, and where its counts are from.
struct MainLoop {
  InstructionCounts counts;
  std::string source;
};

/// By architecture: from the machine code of this build where it holds the variant, otherwise from the stored one.
std::map<std::string, MainLoop> main_loops(const Kernel& kernel, const Variant& variant,
                                           const std::vector<MachineCodeRow>& built, const StoredMachineCode& stored);

/// For one tile of a variant, on the GPU of each architecture of the table of rates: the cycles of each pipe, the one
/// that needs the most, and the bound in percent of peak and (where its speed is known) of FlashAttention-2.
void print_bound(std::ostream& out, const TileShape& tile, const TileWork& work,
                 const std::map<std::string, MainLoop>& loops, const std::map<std::string, Fa2Speed>& fa2);

}  // namespace flash_steps
