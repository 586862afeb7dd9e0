#include "harness/emulator/memory/counting.h"

#include <algorithm>
#include <array>

#include "harness/emulator/words/word.h"

namespace flash_steps::emulator {
namespace {

constexpr int bank_bytes = 4;
constexpr int banks = 32;
constexpr int phase_bytes = banks * bank_bytes;
constexpr int line_bytes = 128;

int distinct_pieces(std::span<const uintptr_t> addresses, int bytes) {
  std::array<uintptr_t, warp_lanes> pieces{};
  std::transform(addresses.begin(), addresses.end(), pieces.begin(),
                 [&](uintptr_t address) { return address / bytes; });
  const auto end = pieces.begin() + static_cast<std::ptrdiff_t>(addresses.size());
  std::sort(pieces.begin(), end);
  return static_cast<int>(std::unique(pieces.begin(), end) - pieces.begin());
}

}  // namespace

int phases(int width) { return warp_lanes * width / phase_bytes; }

int wavefronts(std::span<const uint32_t> addresses, int width) {
  // An aligned access covers whole columns of banks, width / 4 banks each; so banks collide exactly if columns do.
  const int columns = phase_bytes / width;
  const int phase_lanes = columns;
  int total = 0;
  for (size_t first = 0; first < addresses.size(); first += phase_lanes) {
    std::array<int, banks> distinct{};
    std::array<std::array<uint32_t, banks>, banks> pieces;  // by column: those that the lanes so far want
    int most = 0;
    for (const uint32_t address : addresses.subspan(first, phase_lanes)) {
      const uint32_t piece = address / width;
      int& count = distinct[piece % columns];
      auto& of_column = pieces[piece % columns];
      if (std::find(of_column.begin(), of_column.begin() + count, piece) != of_column.begin() + count) continue;
      of_column[count++] = piece;
      most = std::max(most, count);
    }
    total += most;
  }
  return total;
}

SharedCost load_cost(std::span<const uint32_t> addresses, int width) {
  const SharedCost plain{wavefronts(addresses, width), phases(width)};
  if (plain.ideal == 1) return plain;  // there are no two phases
  for (const size_t apart : {1, 2}) {
    std::array<uint32_t, warp_lanes / 2> of_pairs;
    size_t pairs = 0;
    for (size_t lane = 0; lane < addresses.size(); lane++) {
      if (addresses[lane] != addresses[lane ^ apart]) break;
      if ((lane & apart) == 0) of_pairs[pairs++] = addresses[lane];
    }
    if (pairs == of_pairs.size()) return {wavefronts(of_pairs, width), plain.ideal / 2};
  }
  return plain;
}

int sectors(std::span<const uintptr_t> addresses) { return distinct_pieces(addresses, sector_bytes); }

int tags(std::span<const uintptr_t> addresses) { return distinct_pieces(addresses, line_bytes); }

}  // namespace flash_steps::emulator
