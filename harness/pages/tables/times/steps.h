// A step beside the step before it in a sweep: at each length, and whether the difference is more than noise.
//
// Noise is what the sweep itself shows: steps that follow each other and whose best configs have the same main loop, by
// the counts in docs/results/machine_code.json, differ by nothing that the step means. (Not so of a loop with a vote:
// where it stands is the step, and the counts are those of what it jumps over, too.) At a length the largest of these
// differences counts, and at least noise_floor_points: by that much the same config differs from sweep to sweep.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/contract/registry.h"
#include "harness/results/sweeps.h"
#include "harness/sass/stored.h"

namespace flash_steps {

/// In points: of percentages of FlashAttention-2.
inline constexpr double noise_floor_points = 0.5;

enum class Outcome { slower, level, faster };

/// A step against the one before it, at one length.
struct Difference {
  double points;  ///< above 0: the step is faster
  double noise_points;

  Outcome outcome() const;
};

/// Nothing if one of the two was not timed beside FlashAttention-2 at this length.
std::optional<Difference> difference(const Sweep& sweep, const Kernel& before, const Kernel& step, int seqlen,
                                     const StoredMachineCode& code);

double noise_points(const Sweep& sweep, int seqlen, const StoredMachineCode& code);

/// Both steps' percentages at each length, their difference and the noise, in Markdown; empty if the sweep has none.
std::string render_by_length(const Kernel& before, const Kernel& step, const Sweep& sweep,
                             const std::vector<int>& seqlens, const StoredMachineCode& code);

/// The differences of all steps to the one before, a line each, in Markdown.
std::string render_gains(const std::vector<const Kernel*>& steps, const Sweep& sweep, const std::vector<int>& seqlens,
                         const StoredMachineCode& code);

}  // namespace flash_steps
