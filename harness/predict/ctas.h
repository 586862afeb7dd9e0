// The CTAs of a launch: how many tiles of keys each goes through, and when the last of them is done.
//
// Without a mask and packing all CTAs of a grid do the same, and counting those of the SM that gets the most will do.
// Under a causal mask they do not: a CTA of late rows sees more keys than one of early rows, an SM that is done with
// one takes the next, and the grid starts the longest first, so that the SMs end together.
#pragma once

#include <vector>

#include "harness/contract/kernel.h"

namespace flash_steps {

struct CtaTiles {
  int tiles = 0;   ///< of keys
  int masked = 0;  ///< of these, behind the first, those of which some row does not see all keys
  bool operator==(const CtaTiles&) const = default;
};

/// In the order in which they start. The blocks of queries of a sequence, in which a kernel of the forward pass walks
/// from the last key that any row of a CTA sees to the first: those with the most rows in front of them first. A CTA
/// without queries, as of a packed sequence that is shorter than others, goes through nothing and is not among them.
std::vector<CtaTiles> ctas_of(const Problem& problem, const TileShape& tile);

/// Of all of them.
int64_t tiles_of(const std::vector<CtaTiles>& ctas);

/// Cycles until CTAs of so much work each are done. They start in their order, `resident` on an SM at a time, and when
/// one ends on an SM, the next takes its place there. An SM's work is in cycles of an SM that is full, where its CTAs
/// share its time; with fewer CTAs, as in the end, it does less: speeds[n - 1] of it with n.
double cycles_until_done(const std::vector<double>& work, int sm_count, const std::vector<double>& speeds);

}  // namespace flash_steps
