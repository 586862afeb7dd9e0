// Global memory: the tensors of a launch, and what a worker's CTAs moved to and from them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "harness/emulator/memory/accesses.h"
#include "harness/emulator/memory/hazard.h"
#include "harness/emulator/memory/reductions.h"
#include "harness/emulator/memory/sector_set.h"

namespace flash_steps::emulator {

/// A tensor in global memory. Kernels may touch no other.
struct GlobalBuffer {
  std::string name;  ///< as hazards call it
  std::byte* data;   ///< 256-byte aligned, as cudaMalloc aligns; or sectors are not those of a GPU
  size_t bytes;
  bool writable;
  /// Of a writable one: which cells of Accesses::cell_bytes earlier launches wrote; launch() adds its own. Null: it
  /// holds what a kernel may read.
  std::vector<bool>* written = nullptr;
};

/// The accesses of the CTAs that one worker runs.
class GlobalMemory {
 public:
  /// Bytes of memory that each byte of a writable tensor takes once it was written, besides itself, and once more when
  /// it was read.
  static constexpr int record_bytes_per_byte = sizeof(Accesses::Record) / Accesses::cell_bytes;

  GlobalMemory(std::span<const GlobalBuffer> buffers, HazardLog& hazards);

  void begin_cta(Dim3 cta, int64_t cta_number);

  /// Each moves `bytes` bytes, of which the alignment must be `bytes`. A read that is out of bounds or misaligned
  /// delivers zeros, and such a write is dropped.
  void read(int thread, const void* from, int bytes, const Site& site, void* to);
  void write(int thread, void* to, int bytes, const Site& site, const void* from);

  /// Adds a float to another, when the launch wants it done: those of a CTA wait in take_additions().
  void add(int thread, void* to, const Site& site, const void* value);
  std::vector<Addition> take_additions() { return std::exchange(additions_, {}); }

  /// Of each buffer, which sectors were touched. An addition reads and writes.
  const std::vector<SectorSet>& sectors_read() const { return sectors_read_; }
  const std::vector<SectorSet>& sectors_written() const { return sectors_written_; }

  std::span<const GlobalBuffer> buffers() const { return buffers_; }
  /// Of each buffer; reads of the writable ones alone, and of each cell those of two CTAs at most.
  const std::vector<Accesses>& reads() const { return reads_; }
  const std::vector<Accesses>& writes() const { return writes_; }
  /// Of the additions to each cell those of two CTAs at most.
  const std::vector<Accesses>& additions() const { return adders_; }

 private:
  // The buffer that holds the bytes, or null after reporting why not.
  const GlobalBuffer* accessible(int thread, const void* address, int bytes, const Site& site);
  // Of a writable buffer.
  void check_written(size_t buffer, int64_t byte, int bytes, int thread, const Site& site);
  void check_not_added_to(size_t buffer, int64_t byte, int bytes, int thread, const Site& site);
  void report(HazardKind kind, const GlobalBuffer& buffer, int64_t byte, int thread, const Site& site);

  std::span<const GlobalBuffer> buffers_;
  HazardLog& hazards_;
  Dim3 cta_;
  int64_t cta_number_ = 0;
  std::vector<SectorSet> sectors_read_;
  std::vector<SectorSet> sectors_written_;
  std::vector<Accesses> reads_;
  std::vector<Accesses> writes_;
  std::vector<Accesses> adders_;
  std::vector<Addition> additions_;
};

/// Reports the bytes that two CTAs both store, or that one stores or adds to and another loads, or that one stores and
/// another adds to, each pair of lines once: of several such pairs of CTAs the one whose later CTA comes first. `index`
/// tells where in the grid a CTA is.
std::vector<HazardLog::Entry> cta_conflicts(std::span<const GlobalMemory* const> memories,
                                            const std::function<Dim3(int64_t cta_number)>& index);

}  // namespace flash_steps::emulator
