// The reference on the GPU, held against the one on the CPU.
#include "harness/gpu/truth/reference.h"

#include <algorithm>
#include <cmath>

#include "harness/contract/registry.h"
#include "harness/truth/judge.h"
#include "harness/truth/numbers.h"
#include "harness/truth/reference.h"
#include "tests/support/gpu_test.h"

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

// Also lengths that are no multiple of anything: the reference must not depend on a tile.
constexpr Problem shapes[] = {
    {.seqlen = 64}, {.seqlen = 77}, {.heads = 2, .seqlen = 192}, {.batch = 2, .heads = 3, .seqlen = 320}};

struct BothReferences {
  std::vector<float> gpu_exact;
  std::vector<uint16_t> gpu_ref16;
  std::vector<float> gpu_lse;
  Reference cpu;
  double largest = 0;  // of O
};

BothReferences both_references(const Problem& problem, Precision precision) {
  DeviceArray<float> exact(problem.elements());
  DeviceArray<uint16_t> ref16(problem.elements());
  DeviceArray<float> lse(problem.rows());
  device_reference(problem, make_device_inputs(problem), precision, exact, ref16, lse);
  BothReferences both{exact.to_host(), ref16.to_host(), lse.to_host(),
                      reference_attention(problem, make_inputs(problem))};
  for (double value : both.cpu.exact) both.largest = std::max(both.largest, std::abs(value));
  return both;
}

TEST_P(GpuReference, InFp32AgreesWithTheCpus) {
  for (Problem problem : shapes) {
    problem.dtype = GetParam().dtype;
    problem.inputs = GetParam().inputs;
    SCOPED_TRACE(describe(problem));
    const BothReferences both = both_references(problem, Precision::fp32);

    const int64_t size = problem.elements();
    const Errors fp32 = errors_of(
        size, [&](int64_t i) { return double(both.gpu_exact[i]); }, both.cpu.exact);
    const Errors rounded = errors_of(
        size, [&](int64_t i) { return double(both.cpu.ref16[i]); }, both.cpu.exact);
    const Errors gpu_rounded = errors_of(
        size, [&](int64_t i) { return to_double(both.gpu_ref16[i], problem.dtype); }, both.cpu.exact);

    // fp32 may be off by little next to the errors that it is to judge.
    EXPECT_LE(fp32.max_abs, 0.01 * rounded.max_abs + 2e-6 * both.largest);
    // A logit that fp32 rounds to the other side of a halfway point changes single elements, not the statistics.
    EXPECT_NEAR(gpu_rounded.rms, rounded.rms, 0.05 * rounded.rms + 1e-7 * both.largest);
    EXPECT_NEAR(gpu_rounded.max_abs, rounded.max_abs, 0.25 * rounded.max_abs + 1e-6 * both.largest);
  }
}

TEST_P(GpuReference, InFp64IsTheCpus) {
  for (Problem problem : shapes) {
    problem.dtype = GetParam().dtype;
    problem.inputs = GetParam().inputs;
    SCOPED_TRACE(describe(problem));
    const BothReferences both = both_references(problem, Precision::fp64);

    const int64_t size = problem.elements();
    const Errors fp64 = errors_of(
        size, [&](int64_t i) { return double(both.gpu_exact[i]); }, both.cpu.exact);
    EXPECT_LE(fp64.max_abs, std::ldexp(both.largest, -24));  // that of rounding it to fp32 at the end
    // Only what lies within the last bits of fp64 of a halfway point may round differently.
    int64_t different = 0;
    for (int64_t i = 0; i < size; i++) {
      different += to_double(both.gpu_ref16[i], problem.dtype) != double(both.cpu.ref16[i]);
    }
    EXPECT_LE(different, size / 1000);
  }
}

INSTANTIATE_TEST_SUITE_P(, GpuReference, testing::ValuesIn(all_input_cases()), name_of_case);

using GpuReferenceOfVariants = GpuTest;

// Masks, dropout, other lengths and heads of keys, sequences of different lengths, and some that have no key.
TEST_F(GpuReferenceOfVariants, IsTheCpus) {
  const Problem plain{.batch = 5, .heads = 4, .seqlen = 77, .head_dim = 64};
  std::vector<Problem> problems(4, plain);
  problems[0].mask = Mask::causal;
  problems[0].seqlen_kv = 50;
  problems[1].dropout = 0.3;
  problems[1].dropout_offset = 0xfffffff0;
  problems[2].padding = 20;
  problems[2].kv_heads = 2;
  problems[3] = problems[2];
  problems[3].seqlen_kv = problems[3].padding = 5;
  problems[3].dropout = 0.5;
  for (const Problem& problem : problems) {
    SCOPED_TRACE(describe(problem));
    const BothReferences both = both_references(problem, Precision::fp64);
    const Errors errors = errors_of(
        problem.elements(), [&](int64_t i) { return double(both.gpu_exact[i]); }, both.cpu.exact);
    EXPECT_LE(errors.max_abs, std::ldexp(both.largest, -24));
    EXPECT_LE(compare_lse(both.gpu_lse, both.cpu).max_abs, 1e-6);
  }
}

TEST_F(GpuReferenceLimits, HugeLogitsGiveNumbers) {
  const Problem problem{.seqlen = 64};
  const uint16_t largest = 0x7bff;  // 65504, whose products add up to logits of 5·10¹⁰
  std::vector<uint16_t> huge(problem.elements(), largest);
  for (size_t i = 0; i < huge.size(); i += 2) huge[i] |= i / problem.head_dim % 2 == 0 ? 0 : 0x8000;
  const DeviceInputs inputs{DeviceArray(huge), DeviceArray(huge), DeviceArray(make_inputs(problem).v), {}};
  DeviceArray<float> exact(problem.elements());
  DeviceArray<uint16_t> ref16(problem.elements());
  DeviceArray<float> lse(problem.rows());
  for (Precision precision : {Precision::fp32, Precision::fp64}) {
    device_reference(problem, inputs, precision, exact, ref16, lse);
    for (float value : exact.to_host()) ASSERT_TRUE(std::isfinite(value));
  }
}

// Needs no GPU.
TEST(GpuReferencePrecision, IsFp64WhereThatTakesLessThanASecond) {
  EXPECT_EQ(precision_of({.batch = 1, .heads = 16, .seqlen = 1024}), Precision::fp64);
  EXPECT_EQ(precision_of({.batch = 2, .heads = 4, .seqlen = 1024}), Precision::fp64);
  EXPECT_EQ(precision_of({.batch = 16, .heads = 16, .seqlen = 512}), Precision::fp64);
  EXPECT_EQ(precision_of({.batch = 16, .heads = 16, .seqlen = 1024}), Precision::fp32);
  EXPECT_EQ(precision_of({.batch = 4, .heads = 16, .seqlen = 16384}), Precision::fp32);
}

TEST_F(GpuReferenceLimits, AProblemIsCheckedInThePrecisionThatItsResultsName) {
  const Variant& variant = any_variant();
  for (const auto& [batch, reference] : {std::pair{2, "fp64 on the GPU"}, std::pair{160, "fp32 on the GPU"}}) {
    gpu().load({.batch = batch, .heads = 2, .seqlen = 512, .dtype = variant.dtype}, true);
    EXPECT_EQ(gpu().check(variant).reference, reference);
  }
}

}  // namespace
}  // namespace flash_steps
