// The shared memory of one CTA: its bytes, and for each what the memory model says of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "harness/emulator/memory/clocks.h"
#include "harness/emulator/memory/hazard.h"

namespace flash_steps::emulator {

/// Remembers for each cell of 4 bytes (every word moves aligned multiples of them) who wrote it and who of each warp
/// read it, and reports accesses that nothing orders.
///
/// Between warps order comes from the clocks: what a warp knows to have ended. Between the lanes of a warp it comes
/// from warp_barrier() and barrier(): what a lane did before the last one is over for the others.
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

  /// What this thread wrote is seen by the tensor cores and the TMA unit, and by others after it is passed on.
  void proxy_fence(int thread);

  Clocks& clocks() { return clocks_; }

  void commit(int thread, const Site& site);
  void wait(int thread, int pending);

  /// Each takes `bytes` bytes at an address as PTX has it, of which the alignment must be `bytes`. A read that is out
  /// of bounds or misaligned delivers zeros, and such a write is dropped.
  void read(int thread, uint32_t address, int bytes, const Site& site, void* to);
  void write(int thread, uint32_t address, int bytes, const Site& site, const void* from);
  void copy(int thread, uint32_t address, int bytes, const Site& site, const void* from);

  /// A unit beside the warps, `agent` in the clocks, begins to write: the bytes are there from land() on, and known to
  /// be there by who knows that the agent's `time` has ended. `thread` has started it.
  void begin_async_write(int thread, uint32_t address, int bytes, const Site& site, int agent, uint32_t time);
  void land(uint32_t address, int bytes, const void* from);

  /// A unit beside the warps reads at its `time`, for `thread` of one of these warps, which together have started it.
  void async_read(std::span<const int> warps, int thread, uint32_t address, int bytes, const Site& site, int agent,
                  uint32_t time, void* to);
  /// Reports a matrix that a word of WMMA cannot take.
  void report_matrix(int thread, uint32_t address, int row_bytes, const Site& site);

  /// A thread has waited for what the agent read before `time`; the other lanes of its warp do not know yet.
  void end_async_reads(int thread, int agent, uint32_t time);

  /// The end of what any CTA touched of it so far.
  int64_t touched_bytes() const { return touched_bytes_; }

  /// Looks for copies that this thread leaves behind when it exits.
  void exit(int thread);

 private:
  static constexpr int cell_bytes = 4;
  // NaN in every type: what a kernel reads but nobody wrote should not look like a number.
  static constexpr std::byte poison{0xff};

  struct Write {
    const Site* site = nullptr;  // null: never written
    int32_t thread = 0;          // or, below 0, ~ the agent that wrote
    uint32_t group = 0;          // of a copy; 0: a store
    uint32_t time = 0;           // of a store in the clock of its warp, or in that of the agent
  };
  struct Read {
    const Site* site = nullptr;  // null: never read
    uint32_t time = 0;
    int16_t thread = 0;
    int16_t other = 0;  // another one that read at the same time, or `thread` again
  };
  struct Group {
    const Site* first_copy = nullptr;  // null: the group is empty
    const Site* commit = nullptr;
    uint32_t waited = 0;  // when the thread waited for it
  };
  struct Thread {
    std::vector<Group> groups;        // committed ones
    uint32_t completed = 0;           // so many of them were waited for
    const Site* open_copy = nullptr;  // the first of the group that is not committed
    std::vector<uint32_t> fences;     // the times of its proxy fences
  };
  struct AsyncReads {
    int agent;
    std::vector<Read> reads;  // by cell
    int waiter = -1;          // the one thread that waited for the last of them, if it was one
    uint32_t waited = 0;
  };

  bool accessible(int thread, uint32_t address, int bytes, const Site& site);
  bool in_flight(const Write& write) const;
  uint32_t time_of(const Write& write) const;
  bool ordered_before(const Write& write, int thread) const;
  bool fenced_before(const Write& write, int warp) const;
  int groups_behind(const Write& write) const;
  void check_read(int thread, size_t cell, const Site& site);
  void check_write(int thread, size_t cell, const Site& site);
  void check_reads_of_warps(int thread, size_t cell, const Site& site);
  void check_async_reads(int thread, size_t cell, const Site& site);
  void check_fence(std::span<const int> warps, int thread, size_t cell, const Site& site);
  void note_read(int thread, size_t cell, const Site& site);
  AsyncReads& async_reads_of(int agent);
  void report(HazardKind kind, const Site* earlier, int earlier_thread, const Site& later, int thread, int64_t byte,
              int groups_behind = 0);

  HazardLog& hazards_;
  int warps_;
  Clocks clocks_;
  std::vector<std::byte> bytes_;
  int64_t touched_bytes_ = 0;
  std::vector<Write> writes_;             // by cell
  std::vector<std::vector<Read>> reads_;  // by warp and cell: the last one
  std::vector<AsyncReads> async_reads_;   // of those agents that read
  std::vector<Thread> threads_;
  std::vector<uint32_t> met_;  // by warp: what its lanes did before this time is over for all of them
};

}  // namespace flash_steps::emulator
