// One CTA: steps the lanes of its warps, lets each warp act when its lanes have met, and finds those that never will.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <vector>

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

  /// Frees the lanes after the last CTA, on the OS thread that ran them; what was found out stays.
  void dismiss() { lanes_.clear(); }

  const LineTable& lines() const { return lines_; }
  const HazardLog& hazards() const { return hazards_; }
  const GlobalMemory& global() const { return global_; }
  int64_t touched_smem_bytes() const { return shared_.touched_bytes(); }

 private:
  enum class WarpState { running, at_barrier, exited };

  void run_to_end();
  bool run_warp(int warp);
  void step_lanes(int warp);
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
  std::vector<WarpState> states_;
  std::vector<int> warp_order_;
  std::vector<int> lane_order_;
  std::mt19937_64 random_;
};

}  // namespace flash_steps::emulator
