// The bounds of all kernels and configs from the files that the project keeps, without running anything.
#pragma once

#include <optional>
#include <string>

#include "harness/contract/registry.h"
#include "harness/model/bound.h"
#include "harness/model/tile_work.h"
#include "harness/sass/stored.h"

namespace flash_steps {

struct ConfigBound {
  std::string config;
  Bound bound;
};

struct StoredBounds {
  TileWorks works;
  StoredMachineCode machine_code;

  /// Nothing if the files do not hold this config.
  std::optional<Bound> of(const std::string& kernel, const std::string& config, const Rates& rates) const;

  /// That of the kernel's config with the highest percentage of peak, which no config exceeds; of equals the first.
  /// Only those count that compute the problem of the sixteen: FlashAttention-2 is another one at another head_dim, and
  /// in the backward pass.
  std::optional<ConfigBound> highest(const Kernel& kernel, const Rates& rates) const;
};

/// Throws std::runtime_error that names the file.
StoredBounds read_stored_bounds();

}  // namespace flash_steps
