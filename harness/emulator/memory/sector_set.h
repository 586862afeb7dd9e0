// Which sectors of a tensor were touched.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "harness/emulator/memory/counting.h"

namespace flash_steps::emulator {

/// A bit for each sector of a tensor. Tensors of gigabytes are counted, too, so bits are taken 64 at a time.
class SectorSet {
 public:
  explicit SectorSet(size_t bytes) : bits_(bytes / (sector_bytes * word_bits) + 1) {}

  void add_that_of(int64_t byte) {
    const int64_t sector = byte / sector_bytes;
    bits_[sector / word_bits] |= uint64_t{1} << sector % word_bits;
  }

  /// Of a tensor of the same size.
  void add(const SectorSet& other) {
    for (size_t i = 0; i < bits_.size(); i++) bits_[i] |= other.bits_[i];
  }

  uint64_t count() const {
    uint64_t sectors = 0;
    for (const uint64_t word : bits_) sectors += std::popcount(word);
    return sectors;
  }

 private:
  static constexpr int word_bits = 64;
  std::vector<uint64_t> bits_;
};

}  // namespace flash_steps::emulator
