// One CTA: steps the lanes of its warps, lets each warp act when its lanes have met, and finds those that never will.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "harness/emulator/async/units.h"
#include "harness/emulator/emulator.h"
#include "harness/emulator/lane.h"
#include "harness/emulator/memory/global_memory.h"
#include "harness/emulator/memory/line_table.h"
#include "harness/emulator/memory/shared_memory.h"

namespace flash_steps::emulator {

/// What one worker runs its CTAs with, one after the other.
class Cta {
 public:
  /// Both must outlive the CTA.
  Cta(const LaunchConfig& config, const std::function<void()>& thread_body);

  /// Runs one CTA to its end, or to where it cannot go on. Throws what the thread body throws.
  void run(Dim3 index, int64_t number);

  /// What the last CTA adds to global memory.
  std::vector<Addition> take_additions() { return global_.take_additions(); }

  /// Frees the lanes after the last CTA, on the OS thread that ran them; what was found out stays.
  void dismiss() { lanes_.clear(); }

  const LineTable& lines() const { return lines_; }
  const HazardLog& hazards() const { return hazards_; }
  const GlobalMemory& global() const { return global_; }
  int64_t touched_smem_bytes() const { return shared_.touched_bytes(); }

 private:
  enum class WarpState { running, at_barrier, exited };
  /// How a warp's turn ends: nothing was there to do, something was done, or its lanes do not meet.
  enum class Turn { idle, done, failed };

  void run_to_end();
  bool may_run(int warp) const { return states_[warp] == WarpState::running; }
  Turn run_warp(int warp);
  bool step_lanes(int warp);
  bool act_for_lanes(int warp);
  bool meet(int warp, WarpOperation& operations) const;
  bool act_for_warp(int warp, const WarpOperation& operations, bool& failed);
  bool multiply(int warp, bool& failed);
  void report_deadlock();
  bool pass_barrier();
  void report_divergence(int warp);
  void report_barrier(HazardKind kind);
  const Site& site_of(const Lane& lane);
  void cancel();

  const LaunchConfig& config_;
  const int warps_;
  HazardLog hazards_;
  LineTable lines_;
  SharedMemory shared_;
  GlobalMemory global_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  AsyncUnits units_;
  std::vector<WarpState> states_;
  std::vector<uint32_t> ready_;   // by warp: the lanes that may go on
  std::vector<bool> at_product_;  // by warp: it has come to a word of its warpgroup
  std::vector<int> warp_order_;
  std::vector<int> lane_order_;
  std::mt19937_64 random_;
};

}  // namespace flash_steps::emulator
