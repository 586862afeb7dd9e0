// How fast FlashAttention-2 is on a card, which is what predictions are compared with.
#pragma once

#include <optional>
#include <vector>

#include "harness/model/fa2_speed.h"
#include "harness/predict/card.h"

namespace flash_steps {

/// At a length of the published problems: as published or, for a GPU of ours, as it was timed. Nothing where it was
/// not.
std::optional<Fa2Speed> fa2_speed(const Card& card, int seqlen, const Published& published,
                                  const std::vector<Sweep>& sweeps);

/// The clock that a prediction is for unless another is asked for: FlashAttention-2's at this length, or at the
/// table's; and where it was never timed, the highest that the card has.
double usual_clock_mhz(const Card& card, int seqlen, const Published& published, const std::vector<Sweep>& sweeps);

}  // namespace flash_steps
