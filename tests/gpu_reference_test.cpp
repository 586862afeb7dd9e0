// The reference on the GPU, held against the one on the CPU.
#include <algorithm>
#include <cmath>

#include "harness/gpu/reference.h"
#include "harness/reference.h"
#include "tests/gpu_test.h"

namespace flash_steps {
namespace {

using GpuReference = GpuTestWith<InputCase>;
using GpuReferenceLimits = GpuTest;

struct Errors {
  double max_abs = 0;
  double rms = 0;
};

template <typename Value>
Errors errors_of(int64_t size, const Value& value, const std::vector<double>& exact) {
  Errors errors;
  for (int64_t i = 0; i < size; i++) {
    const double error = std::abs(value(i) - exact[i]);
    if (!(error <= errors.max_abs)) errors.max_abs = error;
    errors.rms += error * error;
  }
  errors.rms = std::sqrt(errors.rms / size);
  return errors;
}

TEST_P(GpuReference, AgreesWithTheCpus) {
  // Also lengths that are no multiple of anything: the reference must not depend on a tile.
  const Problem shapes[] = {
      {.seqlen = 64}, {.seqlen = 77}, {.heads = 2, .seqlen = 192}, {.batch = 2, .heads = 3, .seqlen = 320}};
  for (Problem problem : shapes) {
    problem.dtype = GetParam().dtype;
    problem.inputs = GetParam().inputs;
    SCOPED_TRACE(words_of(problem));

    DeviceArray<float> exact(problem.elements());
    DeviceArray<uint16_t> ref16(problem.elements());
    device_reference(problem, make_device_inputs(problem), exact, ref16);
    const std::vector<float> gpu_exact = exact.to_host();
    const std::vector<uint16_t> gpu_ref16 = ref16.to_host();
    const Reference cpu = reference_attention(problem, make_inputs(problem));

    const int64_t size = problem.elements();
    const Errors fp32 = errors_of(
        size, [&](int64_t i) { return double(gpu_exact[i]); }, cpu.exact);
    const Errors rounded = errors_of(
        size, [&](int64_t i) { return double(cpu.ref16[i]); }, cpu.exact);
    const Errors gpu_rounded = errors_of(
        size, [&](int64_t i) { return to_double(gpu_ref16[i], problem.dtype); }, cpu.exact);
    double largest = 0;
    for (double value : cpu.exact) largest = std::max(largest, std::abs(value));

    // fp32 may be off by little next to the errors that it is to judge.
    EXPECT_LE(fp32.max_abs, 0.01 * rounded.max_abs + 2e-6 * largest);
    // A logit that fp32 rounds to the other side of a halfway point changes single elements, not the statistics.
    EXPECT_NEAR(gpu_rounded.rms, rounded.rms, 0.05 * rounded.rms + 1e-7 * largest);
    EXPECT_NEAR(gpu_rounded.max_abs, rounded.max_abs, 0.25 * rounded.max_abs + 1e-6 * largest);
  }
}

INSTANTIATE_TEST_SUITE_P(, GpuReference, testing::ValuesIn(all_input_cases()), name_of_case);

TEST_F(GpuReferenceLimits, HugeLogitsGiveNumbers) {
  const Problem problem{.seqlen = 64};
  const uint16_t largest = 0x7bff;  // 65504, whose products add up to logits of 5·10¹⁰
  std::vector<uint16_t> huge(problem.elements(), largest);
  for (size_t i = 0; i < huge.size(); i += 2) huge[i] |= i / problem.head_dim % 2 == 0 ? 0 : 0x8000;
  const DeviceInputs inputs{DeviceArray(huge), DeviceArray(huge), DeviceArray(make_inputs(problem).v)};
  DeviceArray<float> exact(problem.elements());
  DeviceArray<uint16_t> ref16(problem.elements());
  device_reference(problem, inputs, exact, ref16);
  for (float value : exact.to_host()) ASSERT_TRUE(std::isfinite(value));
}

}  // namespace
}  // namespace flash_steps
