// The GPU behind the Backend interface: its facts, its refusals, its errors.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "harness/contract/registry.h"
#include "harness/gpu/truth/inputs.h"
#include "harness/truth/reference.h"
#include "harness/truth/validate.h"
#include "tests/support/gpu_test.h"

namespace flash_steps {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using GpuBackend = GpuTest;

Variant first_variant() { return kernels().front().gpu.front(); }

template <typename Error, typename Action>
std::string message_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "(nothing was thrown)";
}

TEST(GpuBackendAnywhere, SaysWhatWouldWorkWhereThereIsNoGpu) {
  if (test_gpu().backend) GTEST_SKIP() << "this machine has a GPU";
  EXPECT_THAT(test_gpu().why_not, HasSubstr("--device=emulator"));
}

TEST_F(GpuBackend, KnowsTheMachine) {
  const DeviceFacts& device = gpu().device();
  EXPECT_EQ(device.backend, Target::gpu);
  EXPECT_FALSE(device.name.empty());
  EXPECT_GE(std::stod(device.compute_capability), 8.0);
  EXPECT_GT(device.sm_count, 0);
  EXPECT_GT(device.l2_bytes, 1 << 20);
  EXPECT_GT(device.memory_bytes, int64_t{1} << 30);
  EXPECT_GE(device.smem_bytes_per_cta, 99 * 1024);  // sm_86 has the least
  EXPECT_GT(device.sm_clock_max_mhz, 500);
  EXPECT_GT(device.memory_clock_max_mhz, 500);
  EXPECT_FALSE(device.driver.empty());
}

TEST_F(GpuBackend, RunsThePublishedProblemByDefault) {
  EXPECT_EQ(gpu().default_problem(), (Problem{.batch = 16, .heads = 16, .seqlen = 4096}));
}

TEST_F(GpuBackend, TellsWhatAVariantTakes) {
  const Variant variant = first_variant();
  const Resources resources = gpu().resources(variant);
  EXPECT_GT(resources.registers, 32);
  EXPECT_LE(resources.registers, 255);
  EXPECT_GE(resources.smem_bytes, variant.tile.smem_bytes);
  EXPECT_GE(resources.ctas_per_sm, 1);
}

TEST_F(GpuBackend, GivesMoreSharedMemoryThanCudaGivesUnasked) {
  Variant variant = first_variant();
  const Problem problem{.seqlen = 4 * seqlen_step(variant.tile), .dtype = variant.dtype};
  gpu().load(problem, true);
  for (int smem_bytes : {96 * 1024, gpu().device().smem_bytes_per_cta}) {
    variant.tile.smem_bytes = smem_bytes;
    ASSERT_EQ(gpu().refusal(variant, problem), std::nullopt);
    EXPECT_TRUE(judge(gpu().check(variant), problem.dtype).passed) << smem_bytes << " bytes";
    EXPECT_GE(gpu().resources(variant).ctas_per_sm, 1);
  }
}

TEST_F(GpuBackend, RefusesMoreSharedMemoryThanThereIs) {
  Variant variant = first_variant();
  variant.tile.smem_bytes = gpu().device().smem_bytes_per_cta + 1;
  EXPECT_TRUE(gpu().refusal(variant, Problem{}).has_value());

  variant.tile.smem_bytes = 16 * 1024 * 1024;
  const std::optional<std::string> refusal = gpu().refusal(variant, Problem{});
  ASSERT_TRUE(refusal.has_value());
  EXPECT_THAT(*refusal, AllOf(HasSubstr(kernels().front().name), HasSubstr("needs 16.0 MiB of shared memory"),
                              HasSubstr("smaller tiles would work")));
}

TEST_F(GpuBackend, RefusesMoreThreadsThanThereAreRegistersFor) {
  Variant variant = first_variant();
  variant.tile.threads = 2048;
  const std::optional<std::string> refusal = gpu().refusal(variant, Problem{});
  ASSERT_TRUE(refusal.has_value());
  EXPECT_THAT(*refusal, AllOf(HasSubstr("2048 threads"), HasSubstr("fewer warps would work")));
}

TEST_F(GpuBackend, RefusesMoreHeadsThanAGridCovers) {
  const std::optional<std::string> refusal = gpu().refusal(first_variant(), Problem{.heads = 65536});
  ASSERT_TRUE(refusal.has_value());
  EXPECT_THAT(*refusal, AllOf(HasSubstr("65536"), HasSubstr("65535")));
}

TEST_F(GpuBackend, RefusesAProblemBeyondMemoryAndSaysWhatFits) {
  const Problem problem{.batch = 1 << 20, .heads = 64, .seqlen = 4096};
  const std::string message = message_of<MachineError>([&] { gpu().load(problem, true); });
  EXPECT_THAT(message, AllOf(HasSubstr("batch 1048576"), HasSubstr("are free; --batch="), HasSubstr(" would fit")));
}

TEST_F(GpuBackend, NamesTheKernelWhoseLaunchFailed) {
  Variant variant = first_variant();
  gpu().load(Problem{.dtype = variant.dtype}, true);
  variant.tile.threads = 4096;
  EXPECT_THAT(message_of<std::runtime_error>([&] { gpu().launch(variant); }),
              AllOf(HasSubstr("launching " + kernels().front().name), HasSubstr("cudaErrorInvalid")));
  EXPECT_TRUE(judge(gpu().check(first_variant()), variant.dtype).passed) << "the next launch is none the worse";
}

TEST_F(GpuBackend, WantsAProblemAndAReference) {
  const Variant variant = first_variant();
  const std::unique_ptr<Backend> fresh = make_gpu();
  EXPECT_THROW(fresh->launch(variant), std::logic_error);
  fresh->load(Problem{.dtype = variant.dtype}, false);
  EXPECT_THROW(fresh->check(variant), std::logic_error);
  EXPECT_NO_THROW(fresh->launch(variant));
}

TEST_F(GpuBackend, RejectsAKernelThatLeavesRowsOut) {
  Variant variant = first_variant();
  const Problem problem{.seqlen = 4 * seqlen_step(variant.tile), .dtype = variant.dtype};
  gpu().load(problem, true);
  variant.tile.tile_rows *= 2;  // half as many CTAs as are needed
  const OutputErrors errors = gpu().check(variant);
  EXPECT_TRUE(std::isnan(errors.max_abs));
  EXPECT_FALSE(judge(errors, problem.dtype).passed);
}

TEST_F(GpuBackend, TimesSeveralVariantsInOrder) {
  const Variant variant = first_variant();
  Variant half = variant;
  half.tile.tile_rows *= 2;  // half the CTAs
  Problem problem{.batch = 8, .heads = 8, .seqlen = 2048, .dtype = variant.dtype};
  gpu().load(problem, false);
  const Variant* const variants[] = {&half, &variant};
  const std::vector<Timing> timings = gpu().time(variants, {}, {.min_samples = 5, .min_seconds = 0});
  ASSERT_EQ(timings.size(), 2u);
  for (int i = 0; i < 5; i++) EXPECT_LT(timings[0].samples_ms[i], timings[1].samples_ms[i]);
}

// No GPU multiplies more than 4096 FLOP a cycle and SM in fp16, and none of sm_80 or later less than 512.
TEST_F(GpuBackend, MeasuresTheCeilingOnceWhenItTimesAndNoKernelIsAboveIt) {
  const std::unique_ptr<Backend> fresh = make_gpu();
  EXPECT_EQ(fresh->device().mma_ceiling_tflops, std::nullopt);
  const Variant variant = first_variant();
  const Problem problem{.batch = 8, .heads = 8, .seqlen = 2048, .dtype = variant.dtype};
  fresh->load(problem, false);
  const Variant* const variants[] = {&variant};
  const TimingBudget budget{.min_samples = 5, .min_seconds = 0};
  const std::vector<Timing> timings = fresh->time(variants, {}, budget);
  const DeviceFacts device = fresh->device();
  ASSERT_TRUE(device.mma_ceiling_tflops.has_value());
  const double tflops_of_one_flop_a_cycle = device.sm_count * device.sm_clock_max_mhz * 1e6 * 1e-12;
  EXPECT_LT(*device.mma_ceiling_tflops, 4096 * tflops_of_one_flop_a_cycle);
  EXPECT_GT(*device.mma_ceiling_tflops, 512 * tflops_of_one_flop_a_cycle / 2) << "at half its clock";
  const double fastest_ms = *std::min_element(timings[0].samples_ms.begin(), timings[0].samples_ms.end());
  EXPECT_LT(problem.flops() / (fastest_ms * 1e-3) * 1e-12, *device.mma_ceiling_tflops);

  fresh->time(variants, {}, budget);
  EXPECT_EQ(fresh->device().mma_ceiling_tflops, device.mma_ceiling_tflops);
}

// The last rows of a problem whose elements do not fit in 31 bits, against the CPU.
TEST_F(GpuBackend, CountsElementsIn64Bits) {
  const Variant variant = first_variant();
  const Problem problem{.batch = 520, .heads = 64, .seqlen = 512, .dtype = variant.dtype};
  ASSERT_GT(problem.elements(), int64_t{1} << 31);
  try {
    gpu().load(problem, true);
  } catch (const MachineError& error) {
    GTEST_SKIP() << error.what();
  }
  EXPECT_TRUE(judge(gpu().check(variant), problem.dtype).passed);

  const Problem last_head{.seqlen = problem.seqlen, .dtype = problem.dtype};
  const std::vector<uint16_t> table = input_table(problem);
  const InputGenerator element{problem, table.data()};
  const std::vector<uint16_t> output = gpu().output();
  HostInputs inputs;
  std::vector<uint16_t> output_of_head;
  for (int64_t row = 0; row < problem.seqlen; row++) {
    for (int d = 0; d < problem.head_dim; d++) {
      const int64_t i = (((problem.batch - 1) * int64_t{problem.seqlen} + row) * problem.heads + problem.heads - 1) *
                            problem.head_dim +
                        d;
      inputs.q.push_back(element(Tensor::q, i));
      inputs.k.push_back(element(Tensor::k, i));
      inputs.v.push_back(element(Tensor::v, i));
      output_of_head.push_back(output[i]);
    }
  }
  const OutputErrors errors = compare(last_head, output_of_head, reference_attention(last_head, inputs));
  EXPECT_TRUE(judge(errors, problem.dtype).passed);
}

}  // namespace
}  // namespace flash_steps
