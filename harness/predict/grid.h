// From one SM to the whole GPU: how long a launch takes, from what CTAs take that share an SM.
//
// Simulating every cycle of a launch would take long and say nothing new: the rounds of CTAs are alike, and so are the
// tiles of a CTA. Four short runs are simulated, with fewer and more rounds and tiles, and what lies beyond them is
// taken to be linear in both. Differences of whole runs are taken, for CTAs that share an SM do not end in turn: those
// that started last are preferred, and the others catch up when they have gone.
#pragma once

#include <map>
#include <utility>

#include "harness/predict/sm/sm.h"

namespace flash_steps {

/// A CTA's code for so many tiles.
class CtaProgram {
 public:
  /// `wavefronts`: of one ldmatrix.x4 and of one copy, on average.
  CtaProgram(Program program, int warps, int products_of_tile, double ldmatrix_wavefronts, double fill_wavefronts);
  Schedule schedule(int tiles) const;
  const Program& program() const { return program_; }
  int warps() const { return warps_; }

 private:
  Program program_;
  int warps_;
  int products_of_tile_;
  double ldmatrix_wavefronts_;
  double fill_wavefronts_;
};

class SmTime {
 public:
  SmTime(const SmTimings& timings, CtaProgram cta, int resident);

  /// Cycles of an SM for so many CTAs of so many tiles each.
  double cycles(int ctas, int tiles);

  /// By how many cycles of an SM a tile more in each CTA lengthens it, for a CTA.
  double cycles_of_tile();

  /// The longest run that was simulated, for what it says of pipes and stalls.
  const SmRun& longest();

 private:
  const SmRun& run(int rounds, int tiles);
  double cycles_of_cta(int tiles);

  const SmTimings timings_;
  const CtaProgram cta_;
  const int resident_;
  std::map<std::pair<int, int>, SmRun> runs_;  ///< by rounds and tiles
};

/// What a launch with nothing in it takes, as events on both sides of it see it.
constexpr double launch_us = 5;

/// So many CTAs run ahead of the others that read the same K and V, and wait for DRAM where those find it in L2.
constexpr double leading_ctas = 8;

/// With the latency of L2 as it is in the mean for CTAs of which `sharing` read the same K and V, and the card's DRAM.
SmTimings within_grid(SmTimings timings, double sharing, double dram_gb_per_s, int sm_count, double sm_clock_mhz);

/// CTAs of the SM that gets the most.
int most_ctas(int64_t ctas, int sm_count);

}  // namespace flash_steps
