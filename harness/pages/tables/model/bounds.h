// The columns of the bounds in the table: one for each GPU and, where both were measured, each type.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/model/bound_stored.h"
#include "harness/model/fa2_speed.h"

namespace flash_steps {

struct BoundColumn {
  std::string name;             ///< of the GPU and the type
  std::optional<Fa2Speed> fa2;  ///< at seqlen 4096; without it the column stays open

  /// The highest bound of the kernel's configs, in percent of FlashAttention-2; nothing if it is not known.
  std::optional<double> percent(const Kernel& kernel, const StoredBounds& bounds) const;
};

/// The line below the table that says what they are.
std::string bounds_note(const std::vector<BoundColumn>& columns);

}  // namespace flash_steps
