// Which weights are dropped: FlashAttention-2's mask, bit for bit, so that its output can be checked as well.
//
// Philox4x32 is the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as
// 1, 2, 3" (SC 2011), with the constants of their Random123; FlashAttention-2 runs 7 rounds of it. A call gives 16
// bytes, one each for 16 weights that one lane of a warp holds of 16 rows and 32 columns:
//
//   key      seed
//   counter  offset + (sequence·heads + head)·32 + lane (64 bits), row / 16, column / 32
//   lane     4·(row % 8) + column % 8 / 2
//   byte     4·(column % 32 / 8) + 2·(row % 16 / 8) + column % 2
#pragma once

#include <array>
#include <cstdint>

#include "harness/contract/problem.h"

namespace flash_steps {

using PhiloxBlock = std::array<uint32_t, 4>;

/// constexpr functions run on the GPU under nvcc's --expt-relaxed-constexpr.
constexpr PhiloxBlock philox4x32(PhiloxBlock counter, uint64_t key, int rounds) {
  auto key_low = static_cast<uint32_t>(key);
  auto key_high = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < rounds; round++) {
    const uint64_t first = uint64_t{0xd2511f53u} * counter[0];
    const uint64_t second = uint64_t{0xcd9e8d57u} * counter[2];
    counter = {static_cast<uint32_t>(second >> 32) ^ counter[1] ^ key_low, static_cast<uint32_t>(second),
               static_cast<uint32_t>(first >> 32) ^ counter[3] ^ key_high, static_cast<uint32_t>(first)};
    key_low += 0x9e3779b9u;   // the golden ratio
    key_high += 0xbb67ae85u;  // √3 − 1
  }
  return counter;
}

inline constexpr int dropout_rounds = 7;

/// The 16 bytes among which that of one query and one key is; `head` counts heads of Q, of which there are `heads`.
constexpr PhiloxBlock dropout_block(const Dropout& dropout, int heads, int sequence, int head, int row, int column) {
  const int lane = row % 8 * 4 + column % 8 / 2;
  const uint64_t low = dropout.offset + (uint64_t{static_cast<uint32_t>(sequence)} * heads + head) * 32 + lane;
  return philox4x32({static_cast<uint32_t>(low), static_cast<uint32_t>(low >> 32), static_cast<uint32_t>(row / 16),
                     static_cast<uint32_t>(column / 32)},
                    dropout.seed, dropout_rounds);
}

/// Whether a weight is kept, by the number of its block that has its byte: that of column % 32 / 8.
constexpr bool is_kept(const Dropout& dropout, uint32_t number, int row, int column) {
  const int byte = row % 16 / 8 * 2 + column % 2;
  return static_cast<int>(number >> byte * 8 & 0xff) <= dropout.largest_kept_byte;
}

/// Whether the weight of one query and one key is kept.
constexpr bool keeps_weight(const Problem& problem, int sequence, int head, int row, int column) {
  const Dropout dropout = problem.dropping();
  const PhiloxBlock drawn = dropout_block(dropout, problem.heads, sequence, head, row, column);
  return is_kept(dropout, drawn[column % 32 / 8], row, column);
}

}  // namespace flash_steps
