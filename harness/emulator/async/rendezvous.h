// What warps wait for each other at besides barrier(): the named barriers, and the pool of registers.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/emulator/memory/shared_memory.h"

namespace flash_steps::emulator {

/// The barriers 1 to 15 of a CTA.
class NamedBarriers {
 public:
  NamedBarriers(int warps, SharedMemory& shared, HazardLog& hazards)
      : shared_(shared), hazards_(hazards), waits_for_(warps) {}

  void reset();

  void arrive(int warp, int id, int threads, const Site& site);
  /// Whether the warp may go on. Asked again and again until it may; the first time it arrives.
  bool sync(int warp, int id, int threads, const Site& site);

  /// What is left over when all threads have exited.
  void exit();

  /// "barrier 3, at which 128 of 256 threads are"
  std::string describe(int id) const;

 private:
  static constexpr int count = 16;
  struct Barrier {
    int threads = 0;  // that it is for; 0: nobody is there
    int arrived = 0;
    uint64_t warps = 0;  // that are there
    uint32_t meeting = 0;
    const Site* site = nullptr;
    int last_thread = 0;
    Clocks::Knowledge passed_on, last;
  };
  struct WaitsFor {
    int id = 0;  // 0: for none
    uint32_t meeting = 0;
  };

  SharedMemory& shared_;
  HazardLog& hazards_;
  std::array<Barrier, count> barriers_;
  std::vector<WaitsFor> waits_for_;  // by warp
};

/// The registers of an SM that a CTA has, of which its warpgroups may give some to each other.
class RegisterPool {
 public:
  RegisterPool(int threads, HazardLog& hazards) : hazards_(hazards), threads_(threads) { reset(); }

  void reset();

  /// Each thread of the warp has fewer from here on.
  void decrease(int warp, int registers, const Site& site);
  /// Whether there are enough of them. Asked again and again until there are.
  bool increase(int warp, int registers, const Site& site);

  /// What is left over when all threads have exited.
  void exit();

  /// "with 3,072 registers of 7,680 that it asks for"
  std::string describe() const;

 private:
  bool usable(int warp, int registers, bool direction, const Site& site);

  HazardLog& hazards_;
  int threads_;
  int free_ = 0;                      // that nobody has, of a warp's threads together
  std::vector<int> of_warp_;          // registers of a thread
  std::vector<const Site*> changed_;  // by warp: what changed them last
};

}  // namespace flash_steps::emulator
