// The TMA unit: copies boxes of tensors between global and shared memory, on its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include "harness/emulator/async/mbarriers.h"
#include "harness/emulator/memory/global_memory.h"
#include "harness/emulator/memory/shared_memory.h"
#include "harness/emulator/words/operands.h"

namespace flash_steps::emulator {

/// The bytes of a load land late and row by row in a random order. A store reads shared memory at once and counts as
/// reading until its group has been waited for.
class Tma {
 public:
  Tma(SharedMemory& shared, GlobalMemory& global, Mbarriers& mbarriers, HazardLog& hazards)
      : shared_(shared), global_(global), mbarriers_(mbarriers), hazards_(hazards) {}

  void reset();

  void load(int thread, const TmaCopy& copy, Site& site);
  void store(int thread, const TmaCopy& copy, Site& site);
  void commit(int thread);
  void wait_read(int thread, int pending);

  bool under_way() const { return !rows_.empty(); }
  /// Some row of those that are under way.
  void land_one(std::mt19937_64& random);

  /// What is left over when all threads have exited.
  void exit();

 private:
  static constexpr int row_bytes = 128;
  static constexpr int chunk_bytes = 16;
  struct Row {
    uint32_t smem;  // the first byte, before the swizzle
    int bytes;
    bool swizzled;
    std::byte data[row_bytes];
    int thread;
    uint32_t barrier_smem;
    uint32_t phase;
    const Site* site;
  };
  struct Stores {  // of a thread
    int agent = -1;
    uint32_t committed = 0;
    uint32_t completed = 0;
    const Site* open = nullptr;  // the first of the group that is not committed
    const Site* last = nullptr;
  };

  bool usable(int thread, const TmaCopy& copy, const Site& site);
  template <typename Visit>
  void for_each_row(const TmaCopy& copy, Visit visit);

  SharedMemory& shared_;
  GlobalMemory& global_;
  Mbarriers& mbarriers_;
  HazardLog& hazards_;
  std::vector<Row> rows_;
  std::map<int, Stores> stores_;  // by thread
};

}  // namespace flash_steps::emulator
