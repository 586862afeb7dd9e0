// Tensor maps for the emulator's tests.
#pragma once

#include <cstring>

#include "harness/contract/kernel.h"

namespace flash_steps::emulator {

/// A matrix of 64 columns of 16 bits, in boxes of so many of its rows: what the emulator makes of it.
inline TensorMap rows_of_64(const void* base, uint64_t rows, uint32_t box_rows) {
  const TensorMapShape shape{.base = base,
                             .sizes = {64, rows, 1, 1, 1},
                             .strides = {128, 128 * rows, 128 * rows, 128 * rows},
                             .box = {64, box_rows, 1, 1, 1}};
  TensorMap map;
  std::memcpy(map.bytes.data(), &shape, sizeof shape);
  return map;
}

}  // namespace flash_steps::emulator
