// From one SM to the whole GPU: how long a launch takes, from what CTAs take that share an SM.
//
// Simulating every cycle of a launch would take minutes and say nothing new: after the first round of CTAs the rounds
// are alike, and so are the tiles of a CTA. A few short runs are simulated, and what lies between and beyond them is
// linear in the number of tiles and of rounds.
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
  SmTime(const SmTimings& timings, const CtaProgram& cta, int resident);

  /// Cycles of an SM for so many CTAs of so many tiles each.
  double cycles(int ctas, int tiles);

  /// Cycles of an SM for one tile of one CTA, where CTAs follow each other without end: the slope.
  double cycles_of_tile();

  /// The longest run that was simulated with full rounds alone, for what it says of pipes and stalls.
  const SmRun& longest();

 private:
  struct Rounds {
    double total = 0;   ///< cycles of the simulated CTAs
    double of_cta = 0;  ///< cycles by which one CTA more lengthens it
    SmRun run;
  };
  const Rounds& rounds(int left_over, int tiles);

  const SmTimings timings_;
  const CtaProgram& cta_;
  const int resident_;
  std::map<std::pair<int, int>, Rounds> rounds_;  ///< by what is left over of full rounds, and by tiles
};

/// What surrounds the SMs.
struct Surroundings {
  double launch_us = 0;  ///< of a launch with nothing in it
  double dram_gb_per_s = 0;
};

/// CTAs of the SM that gets the most.
int most_ctas(int64_t ctas, int sm_count);

}  // namespace flash_steps
