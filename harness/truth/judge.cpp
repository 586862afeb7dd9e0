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

OutputErrors compare(const Problem& problem, const std::vector<uint16_t>& output, const Reference& reference) {
  if (output.size() != reference.exact.size()) {
    throw std::invalid_argument("the output has " + std::to_string(output.size()) + " elements, the reference " +
                                std::to_string(reference.exact.size()));
  }
  OutputErrors errors;
  errors.reference = "fp64 on the CPU";
  errors.crumbs = reference.crumbs;
  // std::max would drop a NaN on one side or the other; a NaN must stay.
  const auto raise = [](double& max, double value) {
    if (!(value <= max)) max = std::isnan(max) ? max : value;
  };
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

Judgement judge(const OutputErrors& errors, Dtype dtype) {
  const double step = rounding_step(errors.max_abs_reference, dtype);
  Judgement judgement;
  const double factor = errors.output == Output::o ? 2 : 3;
  judgement.tolerance = std::max(factor * errors.ref16_max_abs + step, errors.crumbs);
  judgement.rms_tolerance = std::max({1.5 * errors.ref16_rms, step / 16, errors.crumbs / 16});
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
