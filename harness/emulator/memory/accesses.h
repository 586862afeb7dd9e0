// Which CTAs wrote, or read, which bytes of a tensor: what shows that two CTAs of one launch got into each other's way.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "harness/emulator/memory/line_table.h"

namespace flash_steps::emulator {

/// The writes of one tensor that one worker saw, or the reads: of each cell of 4 bytes the first, and besides it the
/// first of each other CTA.
class Accesses {
 public:
  static constexpr int cell_bytes = 4;

  /// What is kept of each cell that was touched.
  struct Record {
    uint32_t cta = 0;  ///< its number plus one; 0: nobody
    uint16_t thread = 0;
    uint16_t site = 0;  ///< place in sites()
  };

  struct Access {
    uint64_t cell;
    int64_t cta;
    int thread;
    const Site* site;
  };

  /// Of one cell: by two CTAs.
  struct Race {
    Access read;
    Access write;
  };

  using Maps = std::vector<const Accesses*>;  ///< of one tensor, one a worker

  /// Of more than `most_ctas` that touch a cell the others are not noted; a worker's CTAs come in ascending order.
  Accesses(uint64_t bytes, size_t most_ctas)
      : most_ctas_(most_ctas), pages_((bytes / cell_bytes + page_cells - 1) / page_cells) {}

  /// A CTA that touches a cell again is noted once.
  void note(uint64_t byte, int bytes, int64_t cta, int thread, const Site& site);

  /// Whether the CTA has touched the cell.
  bool has(uint64_t cell, int64_t cta) const;

  /// Sets the cells that were touched.
  void mark(std::vector<bool>& cells) const;

  /// The cells that more than one CTA wrote, in ascending order: of each the first write of each CTA, by CTA.
  static std::vector<std::vector<Access>> conflicts(const Maps& writes);

  /// The cells that one CTA read and another wrote, in ascending order: of each the pair with the lowest numbers.
  static std::vector<Race> races(const Maps& reads, const Maps& writes);

 private:
  static constexpr uint64_t page_cells = 1024;
  using Page = std::array<Record, page_cells>;

  const Record* record(uint64_t cell) const;
  static std::vector<Access> accesses_of(const Maps& maps, uint64_t cell);
  uint16_t number_of(const Site& site);

  size_t most_ctas_;
  std::vector<std::unique_ptr<Page>> pages_;                  // null: nothing of it was touched
  std::unordered_map<uint64_t, std::vector<Access>> others_;  // by cell: of the CTAs behind the first
  std::vector<const Site*> sites_;
};

}  // namespace flash_steps::emulator
