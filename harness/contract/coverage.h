// Does a variant compute a problem at all, on any machine?
#pragma once

#include <optional>
#include <string>

#include "harness/contract/registry.h"

namespace flash_steps {

/// The smallest seqlen of which every seqlen that these tiles cover is a multiple.
int seqlen_step(const TileShape& tile);

/// Whether it computes the forward pass at the head_dim of the sixteen.
bool computes_published(const Variant& variant);

/// Why the variant does not compute this problem, as a sentence without its subject: "seqlen 100 is not a multiple of
/// 64, …; 64 and 128 would work, and so would v01_any_length". Of the kernels of `among` that are built it names the
/// first that covers the problem; where no other shape would help, that one alone: "a causal mask is not covered;
/// v02_causal would work". Nothing if the variant computes it.
std::optional<std::string> refusal(const Variant& variant, const Problem& problem,
                                   const std::vector<Kernel>& among = kernels());

}  // namespace flash_steps
