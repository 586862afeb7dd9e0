// Judges: does a variant fit a problem, and is its output right?
#pragma once

#include <optional>
#include <string>

#include "harness/contract/problem.h"
#include "harness/machine/backend.h"

namespace flash_steps {

/// Why no variant of these tiles can run this seqlen, as a sentence that names the nearest shapes that work.
std::optional<std::string> seqlen_refusal(const TileShape& tile, int seqlen);

/// Why the variant cannot run this shape on any machine; nothing if it can.
std::optional<std::string> check_shape(const Variant& variant, const Problem& problem);

/// The smallest seqlen of which every seqlen that these tiles cover is a multiple.
int seqlen_step(const TileShape& tile);

struct Verdict {
  bool passed = false;
  double tolerance = 0;      ///< for the largest absolute error
  double rms_tolerance = 0;  ///< for the root mean square of the errors
};

/// The rule of the official FlashAttention tests. ref16 is plain attention that rounds S, P and O to the output type;
/// step is the distance of the numbers of that type at max|ref|.
///
///   largest error   ≤ 2 · ref16's + step
///   rms of errors   ≤ 1.5 · ref16's, or step / 16 where that is more
///
/// The steps are for inputs that leave ref16 without any error, as when each query attends to one key: there an output
/// may still land on the neighbouring number, and one in 256 that does makes an rms of step / √256. Everywhere else
/// ref16's own rounding of O is more than that. An error that is not a number fails.
Verdict judge(const OutputErrors& errors, Dtype dtype);

}  // namespace flash_steps
