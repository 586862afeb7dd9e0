// From one SM to the whole GPU: how long a launch takes, from what CTAs take that share an SM.
//
// Simulating every cycle of a launch would take long and say nothing new: the rounds of CTAs are alike, and so are the
// tiles of a CTA. Four short runs are simulated, with fewer and more rounds and tiles, and what lies beyond them is
// taken to be linear in both. Differences of whole runs are taken, for CTAs that share an SM do not end in turn: those
// that started last are preferred, and the others catch up when they have gone.
#pragma once

#include <map>
#include <tuple>

#include "harness/predict/ctas.h"
#include "harness/predict/sm/sm.h"

namespace flash_steps {

/// A CTA's code for so many tiles.
class CtaProgram {
 public:
  /// `wavefronts`: of one ldmatrix.x4 and of one copy, on average.
  CtaProgram(Program program, int warps, int products_of_tile, double ldmatrix_wavefronts, double fill_wavefronts);
  /// `masked`: of the tiles those behind the first that are masked.
  Schedule schedule(int tiles, int masked = 0) const;
  /// For CTAs that differ: of one after the other, and then from the first again.
  Schedule schedule(const std::vector<CtaTiles>& ctas) const;
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
  /// `mixed`: the CTAs differ in length, so that those on an SM begin and end at different times. Those that are
  /// simulated have half as many tiles more, half as many fewer, and as many as asked for in turn.
  SmTime(const SmTimings& timings, CtaProgram cta, int resident, bool mixed = false);

  /// Cycles of an SM for so many CTAs of so many tiles each.
  double cycles(int ctas, const CtaTiles& cta);

  /// By how many cycles of an SM one more CTA of so many tiles lengthens it.
  double cycles_of_cta(const CtaTiles& cta);

  /// The cycles of its first rounds that are not of one CTA or another: until all work, and when no more come.
  double cycles_around(const CtaTiles& cta);

  /// By how many cycles of an SM a tile more in each CTA lengthens it, for a CTA.
  double cycles_of_tile();

  /// The longest run that was simulated, for what it says of pipes and stalls.
  const SmRun& longest();

 private:
  const SmRun& run(int rounds, int tiles, int masked);
  double cycles_of_first_rounds(const CtaTiles& cta);
  double simulated_cycles_of_cta(int tiles, int masked);

  const SmTimings timings_;
  const CtaProgram cta_;
  const int resident_;
  const bool mixed_;
  std::map<std::tuple<int, int, int>, SmRun> runs_;  ///< by rounds, tiles and how many of these are masked
};

/// The time of a launch on all SMs.
class GridTime {
 public:
  GridTime(const SmTimings& timings, const CtaProgram& cta, int resident, int sm_count);

  /// Of all alike, what the SM takes that gets the most. Of others: each is given to the SM that has a place first.
  double cycles(const std::vector<CtaTiles>& ctas);

  SmTime& sm() { return sms_.back(); }

 private:
  std::vector<SmTime> sms_;  ///< with one CTA at a time, with two, and so on to as many as there is room for
  SmTime mixed_;
  const int sm_count_;
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
