// What works beside the warps of a CTA, and what they wait for: Hopper's words, executed.
#pragma once

#include <random>
#include <string>

#include "harness/emulator/async/mbarriers.h"
#include "harness/emulator/async/rendezvous.h"
#include "harness/emulator/async/tma.h"
#include "harness/emulator/async/warpgroups.h"
#include "harness/emulator/execute.h"

namespace flash_steps::emulator {

class AsyncUnits {
 public:
  AsyncUnits(int threads, SharedMemory& shared, GlobalMemory& global, HazardLog& hazards)
      : shared_(shared),
        hazards_(hazards),
        mbarriers_(shared, hazards),
        tma_(shared, global, mbarriers_, hazards),
        warpgroups_(threads / warp_lanes, shared, hazards),
        named_barriers_(threads / warp_lanes, shared, hazards),
        registers_(threads, hazards) {}

  void reset();

  /// Lanes of a warp that call the same word from the same line.
  struct Lanes {
    int count = 0;
    std::array<int, warp_lanes> threads;
    std::array<const Operation*, warp_lanes> operations;
  };
  /// Executes a word that lanes call for themselves. Returns those that may go on, a bit for each lane of the warp; the
  /// others are to ask again.
  uint32_t execute(const Lanes& lanes, Site& site);

  /// Executes a word of a whole warp. False if it has to wait, and to ask again.
  bool execute(const WarpOperation& lanes, int warp, Site& site);

  /// A product, for which the four warps of a warpgroup have come.
  void multiply(int warpgroup, const std::array<WarpOperation, warpgroup_warps>& warps, const Site& site);

  bool copies_under_way() const { return tma_.under_way(); }
  void land_one_row(std::mt19937_64& random) { tma_.land_one(random); }

  /// All threads have exited.
  void exit();

  /// What a lane waits for, as a deadlock tells it; empty: for other lanes or warps.
  std::string awaited(const Operation& operation) const;

 private:
  uint32_t wait_at_mbarrier(const Lanes& lanes, const Site& site);
  void execute_one(const Operation& operation, int thread, Site& site);

  SharedMemory& shared_;
  HazardLog& hazards_;
  Mbarriers mbarriers_;
  Tma tma_;
  Warpgroups warpgroups_;
  NamedBarriers named_barriers_;
  RegisterPool registers_;
};

}  // namespace flash_steps::emulator
