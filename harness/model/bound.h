// The bound without the card: how many cycles each pipe of an SM needs for one tile of keys and values of a CTA, and
// which of them needs the most.
//
// The pipes work side by side, so a tile cannot take less than the busiest of them. Whatever else a kernel does (its
// first and last instructions, latencies that nothing hides, waits, L2, DRAM) makes it slower, and none of that is
// counted here: no kernel exceeds its bound, and how far it stays below is what the bound does not explain.
#pragma once

#include <map>
#include <string>

#include "harness/machine/counters.h"
#include "harness/model/rates.h"
#include "harness/sass/counts.h"

namespace flash_steps {

/// In the order in which reports show them.
enum class Pipe { tensor, shared_memory, l1_tags, mufu, fma, alu, issue };

inline constexpr Pipe all_pipes[] = {Pipe::tensor, Pipe::shared_memory, Pipe::l1_tags, Pipe::mufu,
                                     Pipe::fma,    Pipe::alu,           Pipe::issue};

const char* name_of(Pipe pipe);

/// What one CTA does for one tile of keys and values: of all its warps together, in the steady state. K and V are
/// copied and read in it; Q and O are not, unless the kernel reads Q anew for every tile.
struct TileWork {
  double flop = 0;      ///< of the products, as Problem::flops() counts
  double products = 0;  ///< mma.m16n8k16, of a warp each
  double ldmatrix = 0;  ///< the wavefronts of each word that touches shared memory
  double cp_async = 0;
  double shared_load = 0;
  double shared_store = 0;
  double tags = 0;  ///< that loads of global memory look up in L1

  double wavefronts() const { return ldmatrix + cp_async + shared_load + shared_store; }
  bool operator==(const TileWork&) const = default;
};

/// What the emulator counted of one launch.
struct CountedLaunch {
  Counters counters;
  int ctas;
  int tiles;  ///< of keys and values, that each CTA goes through
};

/// The difference of two launches whose CTAs go through different numbers of tiles: what a CTA does once cancels out.
/// `flop` is that of a tile.
TileWork tile_work(const CountedLaunch& shorter, const CountedLaunch& longer, double flop);

struct Bound {
  std::map<Pipe, double> cycles;  ///< of one SM, for one tile of a CTA; only the pipes that are known
  Pipe pipe = Pipe::tensor;       ///< that needs the most; of equals the first
  double percent_of_peak = 0;     ///< the cycles in which the tensor pipe could do it in percent of that pipe's
};

/// `main_loop` holds the counts of one warp, for one tile or, where the compiler unrolled it, for several: its products
/// tell how many. Of a kernel without tensor cores it is the code with the largest share of FFMA, of which the tile has
/// at least one for two FLOP of a lane; what goes with them there goes with all of them at least. Without it (nullptr,
/// or a loop without products) the tensor pipe and what words take of memory are known, and of a kernel without tensor
/// cores its FFMA.
///
/// Pipes by mnemonic, after Nsight Compute's Profiling Guide ("Metrics Decoder", "Pipelines"):
///
///     tensor   HMMA, 4096 FLOP each
///     L1 tags  of LDG, a tag for each line of 128 bytes
///     MUFU     MUFU
///     FMA      FFMA, FADD, FMUL and IMAD, of which IMAD is also bounded by a rate of its own
///     ALU      IADD3, LOP3, SHF, LEA and FMNMX
///     issue    all
///
/// What InstructionCounts lacks (comparisons, permutations, conversions, branches) and what may go to one of several
/// pipes (MOV, CS2R, R2UR) is left out everywhere but in issue, which keeps each pipe's cycles a lower bound. So are
/// shuffles, which share the way to shared memory: 16 to 32 a tile.
Bound bound(const TileWork& work, const InstructionCounts* main_loop, const Rates& rates);

}  // namespace flash_steps
