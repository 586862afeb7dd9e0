// The comparison on the GPU lets nothing through.
#include "harness/gpu/truth/compare.h"

#include <cmath>
#include <limits>
#include <random>

#include "harness/truth/judge.h"
#include "harness/truth/numbers.h"
#include "harness/truth/reference.h"
#include "tests/support/gpu_test.h"

namespace flash_steps {
namespace {

using GpuCompare = GpuTest;

struct Sample {
  Problem problem{.batch = 2, .heads = 3, .seqlen = 333};  // no multiple of what a CTA or a warp takes at once
  std::vector<uint16_t> output;
  std::vector<float> reference;

  explicit Sample(Dtype dtype) {
    problem.dtype = dtype;
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (int64_t i = 0; i < problem.elements(); i++) {
      reference.push_back(normal(random));
      output.push_back(from_double(reference.back() + 1e-3 * normal(random), dtype));
    }
  }

  Difference compare() const { return compare_on_device(DeviceArray(output), problem.dtype, DeviceArray(reference)); }
};

OutputErrors as_errors(const Difference& difference) {
  return {.max_abs = difference.max_abs,
          .rms = difference.rms,
          .ref16_max_abs = 1e-3,
          .ref16_rms = 1e-3,
          .max_abs_reference = difference.max_abs_reference,
          .reference = ""};
}

TEST_F(GpuCompare, FindsWhatTheCpuFinds) {
  for (Dtype dtype : all_dtypes) {
    const Sample sample(dtype);
    const Difference on_gpu = sample.compare();
    const OutputErrors on_cpu =
        compare(sample.problem, sample.output,
                Reference{std::vector<double>(sample.reference.begin(), sample.reference.end()), sample.reference});
    EXPECT_NEAR(on_gpu.max_abs, on_cpu.max_abs, 1e-6 * on_cpu.max_abs);
    EXPECT_NEAR(on_gpu.rms, on_cpu.rms, 1e-6 * on_cpu.rms);
    EXPECT_EQ(on_gpu.max_abs_reference, on_cpu.max_abs_reference);
  }
}

TEST_F(GpuCompare, FindsOneWrongElementWhereverItIs) {
  for (double position : {0.0, 0.3, 0.99, 1.0}) {
    Sample sample(Dtype::fp16);
    const int64_t i = static_cast<int64_t>(position * (sample.output.size() - 1));
    sample.output[i] = from_double(sample.reference[i] - 3, Dtype::fp16);
    const Difference difference = sample.compare();
    EXPECT_NEAR(difference.max_abs, 3, 0.01);
    EXPECT_FALSE(judge(as_errors(difference), Dtype::fp16).right);
  }
}

TEST_F(GpuCompare, NotesADifferenceOfOneBitWhereverItIs) {
  const Sample sample(Dtype::fp16);
  const DeviceArray<uint16_t> first(sample.output);
  const auto is_noted = [&](const std::vector<uint16_t>& output) {
    DeviceArray<int> differs{std::vector<int>(3)};
    note_difference(first, DeviceArray(output), differs.data() + 1);
    const std::vector<int> noted = differs.to_host();
    EXPECT_EQ(noted[0] + noted[2], 0);
    return noted[1] == 1;
  };
  EXPECT_FALSE(is_noted(sample.output));
  for (double position : {0.0, 0.3, 0.99, 1.0}) {
    std::vector<uint16_t> output = sample.output;
    output[static_cast<size_t>(position * (output.size() - 1))] ^= 1;
    EXPECT_TRUE(is_noted(output)) << position;
  }
}

TEST_F(GpuCompare, RejectsOneNanWhereverItIs) {
  for (Dtype dtype : all_dtypes) {
    for (double position : {0.0, 0.3, 0.99, 1.0}) {
      Sample sample(dtype);
      sample.output[static_cast<size_t>(position * (sample.output.size() - 1))] = 0xffff;
      const Difference difference = sample.compare();
      EXPECT_TRUE(std::isnan(difference.max_abs));
      EXPECT_TRUE(std::isnan(difference.rms));
      EXPECT_FALSE(judge(as_errors(difference), dtype).right);
    }
  }
}

TEST_F(GpuCompare, RejectsInfinity) {
  Sample sample(Dtype::fp16);
  sample.output[17] = 0x7c00;
  EXPECT_EQ(sample.compare().max_abs, std::numeric_limits<double>::infinity());
  EXPECT_FALSE(judge(as_errors(sample.compare()), Dtype::fp16).right);
}

TEST_F(GpuCompare, RejectsWhatAKernelLeftPoisoned) {
  for (Dtype dtype : all_dtypes) {
    const Sample sample(dtype);
    DeviceArray output(sample.output);
    poison(output);
    for (uint16_t bits : output.to_host()) ASSERT_TRUE(std::isnan(to_double(bits, dtype)));
    const Difference difference = compare_on_device(output, dtype, DeviceArray(sample.reference));
    EXPECT_FALSE(judge(as_errors(difference), dtype).right);
  }
}

TEST_F(GpuCompare, GivesTheSameFiguresAgain) {
  const Sample sample(Dtype::bf16);
  EXPECT_EQ(sample.compare().rms, sample.compare().rms);
}

}  // namespace
}  // namespace flash_steps
