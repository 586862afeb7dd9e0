// Judging: which outputs pass.
#include "harness/truth/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "harness/truth/numbers.h"
#include "harness/truth/reference.h"

namespace flash_steps {
namespace {

using testing::HasSubstr;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// ref16 is off by 0.01 at most; max|ref| is 1, where the rounding step of fp16 is 2^-10.
OutputErrors typical_errors() {
  OutputErrors errors;
  errors.max_abs = 0.001;
  errors.rms = 0.0001;
  errors.ref16_max_abs = 0.01;
  errors.ref16_rms = 0.001;
  errors.max_abs_reference = 1;
  return errors;
}

TEST(Judge, ToleratesTwiceRef16PlusOneRoundingStep) {
  OutputErrors errors = typical_errors();
  const double limit = 0.02 + std::ldexp(1, -10);
  EXPECT_DOUBLE_EQ(judge(errors, Dtype::fp16).tolerance, limit);
  errors.max_abs = limit;
  EXPECT_TRUE(judge(errors, Dtype::fp16).right);
  errors.max_abs = std::nextafter(limit, 1);
  EXPECT_FALSE(judge(errors, Dtype::fp16).right);
}

TEST(Judge, TheRoundingStepIsThatOfTheType) {
  EXPECT_DOUBLE_EQ(judge(typical_errors(), Dtype::bf16).tolerance, 0.02 + std::ldexp(1, -7));
}

TEST(Judge, ToleratesOneAndAHalfTimesTheRmsOfRef16) {
  OutputErrors errors = typical_errors();
  EXPECT_DOUBLE_EQ(judge(errors, Dtype::fp16).rms_tolerance, 0.0015);
  errors.rms = 0.0015;
  EXPECT_TRUE(judge(errors, Dtype::fp16).right);
  errors.rms = 0.0016;
  EXPECT_FALSE(judge(errors, Dtype::fp16).right);
}

TEST(Judge, WhereRef16IsExactOneOutputIn256MayLandOnTheNeighbouringNumber) {
  const double step = std::ldexp(1, -9);
  OutputErrors errors;
  errors.max_abs_reference = 3.9;
  errors.max_abs = step;
  errors.rms = std::sqrt(step * step / 256);
  EXPECT_TRUE(judge(errors, Dtype::fp16).right);
  errors.rms = std::sqrt(step * step / 250);
  EXPECT_FALSE(judge(errors, Dtype::fp16).right);
}

TEST(Judge, NaNFails) {
  for (double OutputErrors::*field :
       {&OutputErrors::max_abs, &OutputErrors::rms, &OutputErrors::ref16_max_abs, &OutputErrors::ref16_rms}) {
    OutputErrors errors = typical_errors();
    errors.*field = nan;
    EXPECT_FALSE(judge(errors, Dtype::fp16).right);
  }
}

TEST(Judge, AnInfiniteToleranceFails) {
  OutputErrors errors = typical_errors();
  errors.ref16_max_abs = std::numeric_limits<double>::infinity();
  EXPECT_FALSE(judge(errors, Dtype::fp16).right);
}

OutputErrors errors_of_lse(const std::vector<float>& lse, const std::vector<double>& exact) {
  Reference reference;
  reference.lse = exact;
  return compare_lse(lse, reference);
}

TEST(Judge, LIsWithinAHundredThousandthOfTheLargest) {
  EXPECT_TRUE(judge(errors_of_lse({3.00002f, -0.5f}, {3, -0.5}), Dtype::fp16).right);
  EXPECT_FALSE(judge(errors_of_lse({3.00005f, -0.5f}, {3, -0.5}), Dtype::fp16).right);
  EXPECT_FALSE(judge(errors_of_lse({0.00002f}, {0}), Dtype::fp16).right) << "below 1 it is of 1";
  EXPECT_DOUBLE_EQ(judge(errors_of_lse({-181, 1}, {-181, 1}), Dtype::fp16).tolerance, 181e-5);
}

TEST(Judge, InfinitiesOfLAreExact) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(judge(errors_of_lse({infinity, 2}, {infinity, 2}), Dtype::fp16).right);
  for (const float wrong : {-infinity, 1e30f, std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_FALSE(judge(errors_of_lse({wrong, 2}, {infinity, 2}), Dtype::fp16).right) << wrong;
  }
  EXPECT_FALSE(judge(errors_of_lse({infinity, 2}, {3, 2}), Dtype::fp16).right);
  EXPECT_EQ(errors_of_lse({infinity, 2}, {infinity, 2}).max_abs_reference, 2);
}

TEST(Judge, OfSeveralTensorsTheWorstCounts) {
  const OutputErrors right_o = typical_errors();
  const OutputErrors right_lse = errors_of_lse({3.00002f}, {3});
  OutputErrors worst = worst_of({right_o, right_lse}, Dtype::fp16);
  EXPECT_EQ(worst.output, Output::lse);
  EXPECT_EQ(worst.each.size(), 2u);
  EXPECT_TRUE(judge(worst, Dtype::fp16).right);
  worst = worst_of({right_o, errors_of_lse({std::numeric_limits<float>::quiet_NaN()}, {3})}, Dtype::fp16);
  EXPECT_FALSE(judge(worst, Dtype::fp16).right);
  OutputErrors wrong_o = typical_errors();
  wrong_o.max_abs = 1;
  worst = worst_of({wrong_o, right_lse}, Dtype::fp16);
  EXPECT_EQ(worst.output, Output::o);
  EXPECT_FALSE(judge(worst, Dtype::fp16).right);
}

// The rule in action: from an exact output, one element at a time goes wrong.
TEST(Judge, OneWrongElementAmongManyFails) {
  Problem problem;
  problem.seqlen = 64;
  const Reference reference = reference_attention(problem, make_inputs(problem));
  std::vector<uint16_t> output;
  for (double value : reference.exact) output.push_back(from_double(value, problem.dtype));
  EXPECT_TRUE(judge(compare(problem, output, reference), problem.dtype).right);
  output[1234] = from_double(reference.exact[1234] + 0.05, problem.dtype);
  EXPECT_FALSE(judge(compare(problem, output, reference), problem.dtype).right);
  output[1234] = 0x7e00;  // NaN
  EXPECT_FALSE(judge(compare(problem, output, reference), problem.dtype).right);
}

// The rule still bites where O is subnormal: its rounding step there is 2^-24.
TEST(Judge, WhatFlushesSubnormalNumbersFailsOnTinyInputs) {
  Problem problem;
  problem.inputs = InputDistribution::tiny;
  const HostInputs inputs = make_inputs(problem);
  const Reference reference = reference_attention(problem, inputs);
  const auto flushed = [&](const std::vector<uint16_t>& bits) {
    std::vector<uint16_t> result = bits;
    for (uint16_t& b : result) {
      if (std::abs(to_double(b, problem.dtype)) < 0x1p-14) b = 0;
    }
    return result;
  };
  const auto output_of = [&](const HostInputs& from) {
    std::vector<uint16_t> output;
    for (double value : reference_attention(problem, from).exact) output.push_back(from_double(value, problem.dtype));
    return output;
  };
  const auto passes = [&](const std::vector<uint16_t>& output) {
    return judge(compare(problem, output, reference), problem.dtype).right;
  };
  EXPECT_TRUE(passes(output_of(inputs)));
  EXPECT_FALSE(passes(flushed(output_of(inputs))));
  EXPECT_FALSE(passes(output_of({flushed(inputs.q), inputs.k, inputs.v})));
  EXPECT_FALSE(passes(output_of({inputs.q, inputs.k, flushed(inputs.v)})));
}

}  // namespace
}  // namespace flash_steps
