// The shared memory of one CTA: its bytes, and for each what the memory model says of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "harness/emulator/memory/hazard.h"

namespace flash_steps::emulator {

/// Remembers for each cell of 4 bytes (every word moves aligned multiples of them) who wrote it and which warps read
/// it, and reports accesses that nothing orders.
///
/// Order comes from barriers alone. Two counters stand for it: the CTA's epoch, advanced by barrier(), and each
/// warp's, advanced by barrier() and by its warp_barrier(). What a thread wrote in one epoch others see in a later one.
///
/// A copy by cp.async moves its bytes when it is issued, but they count as written when the issuing thread waits for
/// the copy's group. Groups are numbered from 1, for each thread.
class SharedMemory {
 public:
  SharedMemory(int bytes, int threads, HazardLog& hazards);

  /// A new CTA: nothing is written.
  void reset();

  void barrier();
  void warp_barrier(int warp);

  void commit(int thread, const Site& site);
  void wait(int thread, int pending);

  /// Each takes `bytes` bytes at an address as PTX has it, of which the alignment must be `bytes`. A read that is out
  /// of bounds or misaligned delivers zeros, and such a write is dropped.
  void read(int thread, uint32_t address, int bytes, const Site& site, void* to);
  void write(int thread, uint32_t address, int bytes, const Site& site, const void* from);
  void copy(int thread, uint32_t address, int bytes, const Site& site, const void* from);

  /// The end of what any CTA touched of it so far.
  int64_t touched_bytes() const { return touched_bytes_; }

  /// Looks for copies that this thread leaves behind when it exits.
  void exit(int thread);

 private:
  struct Epochs {
    uint32_t cta = 0;
    uint32_t warp = 0;
  };
  struct Write {
    const Site* site = nullptr;  // null: never written
    int32_t thread = 0;
    uint32_t group = 0;  // 0: a store
    Epochs epochs;       // of a store
  };
  struct Read {
    const Site* site = nullptr;
    uint32_t cta_epoch = 0;
    int32_t thread = 0;
  };
  struct Group {
    const Site* first_copy = nullptr;  // null: the group is empty
    const Site* commit = nullptr;
    Epochs waited;  // when the thread waited for it
  };
  struct Thread {
    std::vector<Group> groups;        // committed ones
    uint32_t completed = 0;           // so many of them were waited for
    const Site* open_copy = nullptr;  // the first of the group that is not committed
  };

  bool accessible(int thread, uint32_t address, int bytes, const Site& site);
  bool in_flight(const Write& write) const;
  bool ordered_before(const Write& write, int thread) const;
  int groups_behind(const Write& write) const;
  void check_read(int thread, size_t cell, const Site& site);
  void check_write(int thread, size_t cell, const Site& site);
  void report(HazardKind kind, const Site* earlier, int earlier_thread, const Site& later, int thread, int64_t byte,
              int groups_behind = 0);

  HazardLog& hazards_;
  int warps_;
  std::vector<std::byte> bytes_;
  int64_t touched_bytes_ = 0;
  std::vector<Write> writes_;             // by cell
  std::vector<std::vector<Read>> reads_;  // by warp and cell: the last one
  std::vector<Thread> threads_;
  uint32_t cta_epoch_ = 1;
  std::vector<uint32_t> warp_epochs_;
};

}  // namespace flash_steps::emulator
