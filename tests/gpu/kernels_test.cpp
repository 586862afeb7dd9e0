// Every kernel is right on the GPU, and computes there what it computes on the emulator.
#include <algorithm>
#include <cctype>
#include <cmath>

#include "harness/contract/coverage.h"
#include "harness/contract/registry.h"
#include "harness/truth/judge.h"
#include "harness/truth/numbers.h"
#include "harness/truth/reference.h"
#include "tests/support/gpu_test.h"

namespace flash_steps {
namespace {

struct KernelCase {
  const Kernel* kernel;
  const Variant* variant;  // for the GPU
};

std::vector<KernelCase> all_kernel_cases() {
  std::vector<KernelCase> cases;
  for (const Kernel& kernel : kernels()) {
    for (const Variant& variant : kernel.gpu()) cases.push_back({&kernel, &variant});
  }
  return cases;
}

std::string name_of_kernel_case(const testing::TestParamInfo<KernelCase>& info) {
  std::string name =
      info.param.kernel->name + "_" + info.param.variant->tile.config + "_" + name_of(info.param.variant->dtype);
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

void PrintTo(const KernelCase& kernel_case, std::ostream* out) {
  *out << kernel_case.kernel->name << " " << kernel_case.variant->tile.config;
}

class GpuKernels : public GpuTestWith<KernelCase> {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    if (IsSkipped()) return;
    if (const auto refusal = gpu().refusal(variant(), problem_of(1, InputDistribution::normal))) {
      GTEST_SKIP() << *refusal;
    }
  }

  const Variant& variant() const { return *GetParam().variant; }

  // Several heads and batches, so that a wrong stride shows; no whole tiles where the kernel covers that.
  Problem problem_of(int steps, InputDistribution inputs, Mask mask = Mask::none) const {
    return {.batch = 2,
            .heads = variant().tile.heads != 0 ? variant().tile.heads : 3,
            .seqlen = steps * seqlen_step(variant().tile) - (variant().coverage.any_length ? 5 : 0),
            .head_dim = variant().coverage.head_dims.back(),
            .dtype = variant().dtype,
            .inputs = inputs,
            .mask = mask,
            .pass = variant().coverage.passes.front()};
  }
};

TEST_P(GpuKernels, IsRightForEveryLengthAndDistribution) {
  for (InputDistribution inputs : all_distributions) {
    for (int steps : {1, 2, 3, 5}) {
      for (const Mask mask : variant().coverage.masks) {
        const Problem problem = problem_of(steps, inputs, mask);
        SCOPED_TRACE(describe(problem));
        gpu().load(problem, true);
        const OutputErrors errors = gpu().check(variant());
        const Judgement verdict = judge(errors, problem.dtype);
        EXPECT_TRUE(verdict.right) << "error " << errors.max_abs << ", tolerance " << verdict.tolerance << ", rms "
                                   << errors.rms << ", tolerance " << verdict.rms_tolerance;
      }
    }
  }
}

// What only some kernels cover.
TEST_P(GpuKernels, IsRightWithSequencesOfDifferentLengthsAndWithDropout) {
  const Coverage& coverage = variant().coverage;
  if (!coverage.packed && !coverage.dropout) GTEST_SKIP() << "covers neither";
  for (const Mask mask : coverage.masks) {
    Problem problem = problem_of(3, InputDistribution::normal, mask);
    problem.batch = 7;
    if (coverage.packed) problem.padding = problem.seqlen / 2;
    if (coverage.dropout) problem.dropout = 0.1;
    problem.dropout_offset = 0xffffff00;
    SCOPED_TRACE(describe(problem));
    gpu().load(problem, true);
    const OutputErrors errors = gpu().check(variant());
    EXPECT_TRUE(judge(errors, problem.dtype).right) << name_of(errors.output) << ": " << errors.max_abs;
  }
}

TEST_P(GpuKernels, IsStillRightAfterBeingTimed) {
  gpu().load(problem_of(3, InputDistribution::normal), true);
  const Variant* const variants[] = {&variant()};
  const std::vector<Timing> timings = stopwatch().time(variants, {}, {.min_samples = 5, .min_seconds = 0});
  ASSERT_EQ(timings.size(), 1u);
  EXPECT_GE(timings[0].samples_ms.size(), 5u);
  EXPECT_TRUE(judge(gpu().check(variant()), variant().dtype).right);
}

TEST_P(GpuKernels, GivesTheSameBitsEachTime) {
  Problem problem = problem_of(4, InputDistribution::normal);
  problem.batch = 60;
  gpu().load(problem, false);
  EXPECT_EQ(gpu().differing_repeats(variant(), 20), 0) << describe(problem);
}

TEST_P(GpuKernels, EqualsTheEmulator) {
  const std::vector<Variant>& emulated = GetParam().kernel->emulator();
  const auto same = std::find_if(emulated.begin(), emulated.end(), [&](const Variant& other) {
    return other.dtype == variant().dtype && other.tile.config == variant().tile.config;
  });
  ASSERT_NE(same, emulated.end());

  Problem problem = problem_of(2, InputDistribution::normal);
  problem.batch = 1;
  if (variant().tile.heads == 0) problem.heads = 2;
  gpu().load(problem, true);
  const OutputErrors errors = gpu().check(variant());
  const std::vector<uint16_t> on_gpu = gpu().output();
  const std::unique_ptr<Machine> emulator = make_emulator();
  emulator->load(problem, false);
  emulator->launch(*same);
  const std::vector<uint16_t> on_emulator = emulator->output();

  // Same operations in the same order, except for how the tensor core adds up and how ex2 rounds: that moves a result
  // over one rounding edge of P and one of O.
  ASSERT_LE(on_gpu.size(), on_emulator.size());  // whose has L behind O, where the kernel writes it
  double largest_difference = 0;
  for (size_t i = 0; i < on_gpu.size(); i++) {
    const double difference = std::abs(to_double(on_gpu[i], problem.dtype) - to_double(on_emulator[i], problem.dtype));
    if (!(difference <= largest_difference)) largest_difference = difference;
  }
  EXPECT_LE(largest_difference, 2 * rounding_step(errors.max_abs_reference, problem.dtype));
}

INSTANTIATE_TEST_SUITE_P(, GpuKernels, testing::ValuesIn(all_kernel_cases()), name_of_kernel_case);

}  // namespace
}  // namespace flash_steps
