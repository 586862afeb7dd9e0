// The tensor cores as warpgroups use them: products that run on their own, in groups that are waited for.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "harness/contract/problem.h"
#include "harness/emulator/memory/shared_memory.h"
#include "harness/emulator/words/arithmetic.h"
#include "harness/emulator/words/operands.h"

namespace flash_steps::emulator {

constexpr int warpgroup_warps = 4;

/// A product reads its operands when it begins, and counts as reading them until its group has been waited for. Its
/// accumulator is NaN from then on until the wait, which delivers the result.
class Warpgroups {
 public:
  Warpgroups(int warps, SharedMemory& shared, HazardLog& hazards)
      : shared_(shared), hazards_(hazards), groups_((warps + warpgroup_warps - 1) / warpgroup_warps) {}

  void reset();

  void fence(int warp);
  void commit(int warp);
  /// The lanes of a warp wait until `pending` groups at most are under way.
  void wait(int warp, int pending, const Site& site);
  /// One product of a warpgroup; the operands of its 128 lanes.
  void multiply(int warpgroup, const std::array<const Wgmma*, warpgroup_warps * warp_lanes>& lanes, Dtype dtype,
                bool transposed, const Site& site);

  /// What is left over when all threads have exited.
  void exit();

 private:
  static constexpr int lanes = warpgroup_warps * warp_lanes;
  static constexpr int rows = 64, columns = 128, depth = 16;
  static constexpr int lane_floats = rows * columns / lanes;

  struct Registers {  // operands that may not change before the wait
    std::array<const uint32_t*, lanes> place;
    std::array<std::array<uint32_t, 4>, lanes> value;
  };
  struct Accumulator {
    std::array<float*, lanes> place;
    std::vector<float> value;  // [lanes][lane_floats]
    std::vector<Registers> operands;
    uint32_t group;
    const Site* site;
    int delivered = 0;  // a bit for each warp
  };
  struct Warp {
    bool fenced = false;
    uint32_t committed = 0;  // groups
    uint32_t completed = 0;
  };
  struct Warpgroup {
    int agent = -1;
    std::array<Warp, warpgroup_warps> warps;
    std::vector<Accumulator> under_way;
  };

  Accumulator& accumulator_of(Warpgroup& group, int warpgroup, const std::array<const Wgmma*, lanes>& operands,
                              const Site& site);
  bool usable(const Warpgroup& group, int first_warp, const std::array<const Wgmma*, lanes>& operands,
              const Site& site);
  static void take_registers(Accumulator& accumulator, const std::array<const Wgmma*, lanes>& operands,
                             WgmmaOperands& values);
  void deliver(Accumulator& accumulator, int warp, const Site& site);
  void misused(HazardKind kind, const Site& site, int warp, const std::string& sentence);

  SharedMemory& shared_;
  HazardLog& hazards_;
  std::vector<Warpgroup> groups_;
};

}  // namespace flash_steps::emulator
