#include "harness/truth/judge.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "harness/truth/numbers.h"

namespace flash_steps {

const char* name_of(Verdict verdict) {
  constexpr const char* names[] = {"right", "wrong", "hazard"};
  return names[static_cast<int>(verdict)];
}

namespace {

// std::max would drop a NaN on one side or the other; a NaN must stay.
void raise(double& max, double value) {
  if (!(value <= max)) max = std::isnan(max) ? max : value;
}

void check_sizes(const std::string& what, size_t output, size_t reference) {
  if (output == reference) return;
  throw std::invalid_argument("the " + what + " has " + std::to_string(output) + " elements, the reference " +
                              std::to_string(reference));
}

}  // namespace

OutputErrors compare(const Problem& problem, const std::vector<uint16_t>& output, const Reference& reference) {
  check_sizes("output", output.size(), reference.exact.size());
  OutputErrors errors;
  errors.reference = "fp64 on the CPU";
  double squares = 0;
  double ref16_squares = 0;
  for (size_t i = 0; i < output.size(); i++) {
    const double exact = reference.exact[i];
    const double error = std::abs(to_double(output[i], problem.dtype) - exact);
    const double ref16_error = std::abs(reference.ref16[i] - exact);
    raise(errors.max_abs, error);
    raise(errors.ref16_max_abs, ref16_error);
    raise(errors.max_abs_reference, std::abs(exact));
    squares += error * error;
    ref16_squares += ref16_error * ref16_error;
  }
  errors.rms = std::sqrt(squares / output.size());
  errors.ref16_rms = std::sqrt(ref16_squares / output.size());
  return errors;
}

OutputErrors compare_lse(const std::vector<float>& lse, const Reference& reference) {
  check_sizes("lse", lse.size(), reference.lse.size());
  OutputErrors errors;
  errors.reference = "fp64 on the CPU";
  errors.output = Output::lse;
  double squares = 0;
  for (size_t i = 0; i < lse.size(); i++) {
    const double exact = reference.lse[i];
    const double error = lse[i] == exact ? 0 : std::abs(lse[i] - exact);  // of two infinities the difference is NaN
    raise(errors.max_abs, error);
    if (!std::isinf(exact)) raise(errors.max_abs_reference, std::abs(exact));
    squares += error * error;
  }
  errors.rms = std::sqrt(squares / static_cast<double>(lse.size()));
  return errors;
}

Judgement judge(const OutputErrors& errors, Dtype dtype) {
  Judgement judgement;
  if (errors.output == Output::lse) {
    judgement.tolerance = judgement.rms_tolerance = 1e-5 * std::max(1.0, errors.max_abs_reference);
  } else {
    const double step = rounding_step(errors.max_abs_reference, dtype);
    const double factor = errors.output == Output::o ? 2 : 3;
    judgement.tolerance = factor * errors.ref16_max_abs + step;
    judgement.rms_tolerance = std::max(1.5 * errors.ref16_rms, step / 16);
  }
  // Written so that a comparison with NaN fails.
  const bool usable = std::isfinite(judgement.tolerance) && std::isfinite(judgement.rms_tolerance);
  const bool wrong = !(errors.max_abs <= judgement.tolerance) || !(errors.rms <= judgement.rms_tolerance);
  judgement.right = usable && !wrong;
  return judgement;
}

OutputErrors worst_of(const std::vector<OutputErrors>& each, Dtype dtype) {
  const auto share = [&](const OutputErrors& errors) {
    const Judgement judgement = judge(errors, dtype);
    const double of_tolerance = std::max(errors.max_abs / judgement.tolerance, errors.rms / judgement.rms_tolerance);
    // A wrong one is worse than any that is right, and NaN compares with nothing.
    return judgement.right ? of_tolerance : std::isfinite(of_tolerance) ? 2 + of_tolerance : HUGE_VAL;
  };
  OutputErrors worst = *std::max_element(
      each.begin(), each.end(), [&](const OutputErrors& a, const OutputErrors& b) { return share(a) < share(b); });
  worst.each = each;
  return worst;
}

}  // namespace flash_steps
