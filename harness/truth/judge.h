// Is an output right?
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/contract/problem.h"
#include "harness/truth/reference.h"

namespace flash_steps {

/// What a check found out about a kernel. Of a launch with a hazard the output may be right this time, and wrong or of
/// another GPU the next.
enum class Verdict { right, wrong, hazard };

inline constexpr Verdict all_verdicts[] = {Verdict::right, Verdict::wrong, Verdict::hazard};

const char* name_of(Verdict verdict);

/// A tensor that a kernel computed, against the reference.
struct OutputErrors {
  Output output = Output::o;
  double max_abs = 0;        ///< max|out − ref|; NaN if any output is NaN
  double rms = 0;            ///< √mean((out − ref)²)
  double ref16_max_abs = 0;  ///< the same of plain attention with S, P and O rounded to 16 bits
  double ref16_rms = 0;
  double max_abs_reference = 0;  ///< max|ref|
  std::string reference;         ///< how the reference was made, for the results file
  /// Of a kernel that computes several tensors: those of each, and the members above are of the worst.
  std::vector<OutputErrors> each = {};
};

/// Compares a kernel's output (bits of the problem's type) and ref16 with the exact reference.
OutputErrors compare(const Problem& problem, const std::vector<uint16_t>& output, const Reference& reference);

/// Compares L. Where the reference is infinite there is no error if the output is the same infinity, and an infinite
/// one if it is not; max_abs_reference is of the others.
OutputErrors compare_lse(const std::vector<float>& lse, const Reference& reference);

struct Judgement {
  bool right = false;
  double tolerance = 0;      ///< for the largest absolute error
  double rms_tolerance = 0;  ///< for the root mean square of the errors
};

/// The rule of the official FlashAttention tests. ref16 is plain attention that rounds S, P and O (and dP, dS and the
/// gradients) to the output type; step is the distance of the numbers of that type at max|ref|.
///
///   largest error   ≤ 2 · ref16's + step, and of gradients 3 · ref16's + step
///   rms of errors   ≤ 1.5 · ref16's, or step / 16 where that is more
///
/// The steps are for inputs that leave ref16 without any error, as when each query attends to one key: there an output
/// may still land on the neighbouring number, and one in 256 that does makes an rms of step / √256. Everywhere else
/// ref16's own rounding of O is more than that. Of gradients
/// that cancel out, as those of Q and K do then, ref16 keeps the rounding of dP. An error that is not a number fails.
///
/// L is computed and stored in fp32. Its largest error is at most 1e-5 · max(1, max|L|): a small logit may be a sum of
/// terms that are as large as those of the largest. Infinities are exact.
Judgement judge(const OutputErrors& errors, Dtype dtype);

/// Of several tensors the one whose error is the largest part of what is tolerated, with `each` set. There must be one.
OutputErrors worst_of(const std::vector<OutputErrors>& each, Dtype dtype);

}  // namespace flash_steps
