// The bound as text: for --explain one variant with all its pipes, for the page a line a step.
#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "harness/console/machine_code.h"
#include "harness/model/bound_stored.h"
#include "harness/model/fa2_speed.h"

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

/// In Markdown, what print_bound prints of the first config of a kernel, from stored data alone.
std::string render_bound(const Kernel& kernel, const StoredBounds& bounds, const std::map<std::string, Fa2Speed>& fa2);

/// The table of rates, in Markdown.
std::string render_rates();

/// In Markdown, for each of these GPUs a table: of each kernel the config with the highest bound, the cycles of its
/// pipes for one tile, with those of the busiest in bold, and the bound in percent of peak.
std::string render_pipes(const std::vector<Kernel>& kernels, const StoredBounds& bounds);

}  // namespace flash_steps
