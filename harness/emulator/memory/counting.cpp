#include "harness/emulator/memory/counting.h"

#include <algorithm>
#include <array>

#include "harness/emulator/words/word.h"

namespace flash_steps::emulator {
namespace {

constexpr int bank_bytes = 4;
constexpr int banks = 32;
constexpr int phase_bytes = banks * bank_bytes;

}  // namespace

int phases(int width) { return warp_lanes * width / phase_bytes; }

int wavefronts(std::span<const uint32_t> addresses, int width) {
  // An aligned access covers whole columns of banks, width / 4 banks each; so banks collide exactly if columns do.
  const int columns = phase_bytes / width;
  const int phase_lanes = columns;
  int total = 0;
  for (size_t first = 0; first < addresses.size(); first += phase_lanes) {
    std::array<int, banks> distinct{};
    const auto phase = addresses.subspan(first, phase_lanes);
    int most = 0;
    for (int i = 0; i < phase_lanes; i++) {
      const uint32_t piece = phase[i] / width;
      bool seen = false;
      for (int j = 0; j < i; j++) seen |= phase[j] / width == piece;
      if (!seen) most = std::max(most, ++distinct[piece % columns]);
    }
    total += most;
  }
  return total;
}

int sectors(std::span<const uintptr_t> addresses) {
  std::array<uintptr_t, warp_lanes> pieces{};
  std::transform(addresses.begin(), addresses.end(), pieces.begin(),
                 [](uintptr_t address) { return address / sector_bytes; });
  const auto end = pieces.begin() + static_cast<std::ptrdiff_t>(addresses.size());
  std::sort(pieces.begin(), end);
  return static_cast<int>(std::unique(pieces.begin(), end) - pieces.begin());
}

}  // namespace flash_steps::emulator
