// Global memory: the tensors of a launch, and what a worker's CTAs moved to and from them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/emulator/emulator.h"
#include "harness/emulator/memory/hazard.h"

namespace flash_steps::emulator {

/// The accesses of the CTAs that one worker runs.
class GlobalMemory {
 public:
  /// A store of one lane. A launch's stores, brought together, show what two CTAs both wrote.
  struct Store {
    const GlobalBuffer* buffer;
    uint64_t byte;
    int64_t cta_number;
    Dim3 cta;
    int thread;
    const Site* site;
  };

  GlobalMemory(std::span<const GlobalBuffer> buffers, HazardLog& hazards);

  void begin_cta(Dim3 cta, int64_t cta_number);

  /// Each moves 16 bytes, 16-byte aligned. A read that is out of bounds or misaligned delivers zeros, and such a
  /// write is dropped.
  void read(int thread, const void* from, const Site& site, void* to);
  void write(int thread, void* to, const Site& site, const void* from);

  /// Which sectors were touched: for each buffer, a bit for each 32 bytes.
  using SectorMap = std::vector<std::vector<bool>>;
  const SectorMap& sectors_read() const { return sectors_read_; }
  const SectorMap& sectors_written() const { return sectors_written_; }

  const std::vector<Store>& stores() const { return stores_; }

 private:
  // The buffer that holds the bytes, or null after reporting why not.
  const GlobalBuffer* accessible(int thread, const void* address, const Site& site);
  void report(HazardKind kind, const GlobalBuffer& buffer, int64_t byte, int thread, const Site& site);

  std::span<const GlobalBuffer> buffers_;
  HazardLog& hazards_;
  Dim3 cta_;
  int64_t cta_number_ = 0;
  SectorMap sectors_read_;
  SectorMap sectors_written_;
  std::vector<Store> stores_;
};

/// Reports the bytes that stores of two CTAs have in common, each pair of lines once. Sorts the stores.
std::vector<HazardLog::Entry> write_conflicts(const std::string& kernel, std::vector<GlobalMemory::Store>& stores);

}  // namespace flash_steps::emulator
