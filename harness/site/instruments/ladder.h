// The ladder: percent of FlashAttention-2 by step, of all that was measured and published.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/contract/registry.h"
#include "harness/site/data.h"
#include "harness/site/frame.h"

namespace flash_steps {

/// A column: one GPU and type at one length, or their harmonic mean.
struct LadderColumn {
  std::string gpu;                             ///< "H100 80GB HBM3"
  std::string dtype;                           ///< "fp16"; of what is published "published"
  std::string length;                          ///< "4096", or "mean"
  std::vector<std::optional<double>> percent;  ///< by step
};

std::vector<LadderColumn> ladder_columns(const std::vector<const Kernel*>& steps, const SiteData& data);

Framed ladder_page(const std::vector<Kernel>& kernels, const SiteData& data);

}  // namespace flash_steps
