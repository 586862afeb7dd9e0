// Who wrote which bytes of a tensor: what shows that two CTAs of one launch wrote the same ones.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "harness/emulator/memory/line_table.h"

namespace flash_steps::emulator {

/// The writers of one tensor that one worker saw: of each cell of 4 bytes the first, and the others besides.
class Writers {
 public:
  static constexpr int cell_bytes = 4;

  /// What is kept of each cell that was written.
  struct Record {
    uint32_t cta = 0;  ///< its number plus one; 0: nobody
    uint16_t thread = 0;
    uint16_t site = 0;  ///< place in sites()
  };

  struct Write {
    uint64_t cell;
    int64_t cta;
    int thread;
    const Site* site;
  };

  explicit Writers(uint64_t bytes) : pages_((bytes / cell_bytes + page_cells - 1) / page_cells) {}

  /// A CTA that writes a cell again is noted once.
  void note(uint64_t byte, int bytes, int64_t cta, int thread, const Site& site);

  /// The cells that more than one of the CTAs of these maps, all of one tensor, wrote, in ascending order: of each the
  /// first write of each CTA, by CTA.
  static std::vector<std::vector<Write>> conflicts(const std::vector<const Writers*>& maps);

 private:
  static constexpr uint64_t page_cells = 1024;
  using Page = std::array<Record, page_cells>;

  static std::vector<Write> writes_of(const std::vector<const Writers*>& maps, uint64_t cell);
  uint16_t number_of(const Site& site);

  std::vector<std::unique_ptr<Page>> pages_;                 // null: nothing of it was written
  std::unordered_map<uint64_t, std::vector<Write>> others_;  // by cell: of the CTAs behind the first
  std::vector<const Site*> sites_;
};

}  // namespace flash_steps::emulator
