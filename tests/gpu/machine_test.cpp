// The GPU as a Machine: its facts, its refusals, its errors.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "harness/base/error.h"
#include "harness/contract/coverage.h"
#include "harness/contract/registry.h"
#include "harness/gpu/truth/inputs.h"
#include "harness/truth/judge.h"
#include "harness/truth/reference.h"
#include "tests/support/gpu_test.h"

namespace flash_steps {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using GpuMachine = GpuTest;

Variant first_variant() { return find_kernel("01_base")->gpu().front(); }

// One whose launches are changed.
Variant with(Variant variant, const std::function<void(Launch&)>& change) {
  variant.plan = [plan = variant.plan, change](const Problem& problem, const Tensors& tensors) {
    std::vector<Launch> launches = plan(problem, tensors);
    for (Launch& launch : launches) change(launch);
    return launches;
  };
  return variant;
}

Variant with_half_the_rows(const Variant& variant) {
  return with(variant, [](Launch& launch) { launch.grid.x /= 2; });
}

template <typename Error, typename Action>
std::string message_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "(nothing was thrown)";
}

TEST(GpuMachineAnywhere, SaysWhatWouldWorkWhereThereIsNoGpu) {
  if (test_gpu().machine) GTEST_SKIP() << "this machine has a GPU";
  EXPECT_THAT(test_gpu().why_not, HasSubstr("--device=emulator"));
}

TEST_F(GpuMachine, KnowsTheMachine) {
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

TEST_F(GpuMachine, RunsThePublishedProblemByDefault) {
  EXPECT_EQ(gpu().default_problem(), (Problem{.batch = 16, .heads = 16, .seqlen = 4096}));
}

TEST_F(GpuMachine, TellsWhatAVariantTakes) {
  const Variant variant = first_variant();
  const Resources resources = gpu().resources(variant);
  EXPECT_GT(resources.registers, 32);
  EXPECT_LE(resources.registers, 255);
  EXPECT_GE(resources.smem_bytes, variant.tile.smem_bytes);
  EXPECT_GE(resources.ctas_per_sm, 1);
}

TEST_F(GpuMachine, GivesMoreSharedMemoryThanCudaGivesUnasked) {
  const Problem problem{.seqlen = 4 * seqlen_step(first_variant().tile), .dtype = first_variant().dtype};
  gpu().load(problem, true);
  for (int smem_bytes : {96 * 1024, gpu().device().smem_bytes_per_cta}) {
    const Variant variant = with(first_variant(), [&](Launch& launch) { launch.smem_bytes = smem_bytes; });
    ASSERT_EQ(gpu().refusal(variant, problem), std::nullopt);
    EXPECT_TRUE(judge(gpu().check(variant), problem.dtype).right) << smem_bytes << " bytes";
    EXPECT_GE(gpu().resources(variant).ctas_per_sm, 1);
  }
}

TEST_F(GpuMachine, RefusesMoreSharedMemoryThanThereIs) {
  const auto refusal_of = [&](int smem_bytes) {
    return gpu().refusal(with(first_variant(), [&](Launch& launch) { launch.smem_bytes = smem_bytes; }), Problem{});
  };
  EXPECT_TRUE(refusal_of(gpu().device().smem_bytes_per_cta + 1).has_value());
  const std::optional<std::string> refusal = refusal_of(16 * 1024 * 1024);
  ASSERT_TRUE(refusal.has_value());
  EXPECT_THAT(*refusal, AllOf(HasSubstr("01_base"), HasSubstr("needs 16.0 MiB of shared memory"),
                              HasSubstr("smaller tiles would work")));
}

TEST_F(GpuMachine, RefusesMoreThreadsThanThereAreRegistersFor) {
  const Variant variant = with(first_variant(), [](Launch& launch) { launch.threads = 2048; });
  const std::optional<std::string> refusal = gpu().refusal(variant, Problem{});
  ASSERT_TRUE(refusal.has_value());
  EXPECT_THAT(*refusal, AllOf(HasSubstr("2048 threads"), HasSubstr("fewer warps would work")));
}

TEST_F(GpuMachine, RefusesInstructionsThatItDoesNotHave) {
  Variant variant = first_variant();
  variant.needs = {.major = 99};
  EXPECT_THAT(gpu().refusal(variant, Problem{}).value(), HasSubstr("has instructions of sm_990 and later"));
  variant.needs = {.major = 8, .minor = 0, .exactly = true};
  if (gpu().device().compute_capability == "8.0") return;
  EXPECT_THAT(gpu().refusal(variant, Problem{}).value(), HasSubstr("has instructions of sm_80a alone"));
}

TEST_F(GpuMachine, RefusesMoreHeadsThanAGridCovers) {
  const std::optional<std::string> refusal = gpu().refusal(first_variant(), Problem{.heads = 65536});
  ASSERT_TRUE(refusal.has_value());
  EXPECT_THAT(*refusal, AllOf(HasSubstr("65536"), HasSubstr("65535")));
}

TEST_F(GpuMachine, RefusesAProblemBeyondMemoryAndSaysWhatFits) {
  const Problem problem{.batch = 1 << 20, .heads = 64, .seqlen = 4096};
  const std::string message = message_of<OutOfMemory>([&] { gpu().load(problem, true); });
  EXPECT_THAT(message, AllOf(HasSubstr("batch 1048576"), HasSubstr("are free; --batch="), HasSubstr(" would fit")));
}

TEST_F(GpuMachine, NamesTheKernelWhoseLaunchFailed) {
  const Variant variant = with(first_variant(), [](Launch& launch) { launch.threads = 4096; });
  gpu().load(Problem{.dtype = variant.dtype}, true);
  EXPECT_THAT(message_of<KernelError>([&] { gpu().launch(variant); }),
              AllOf(HasSubstr("launching 01_base"), HasSubstr("cudaErrorInvalid")));
  EXPECT_TRUE(judge(gpu().check(first_variant()), variant.dtype).right) << "the next launch is none the worse";
}

TEST_F(GpuMachine, WantsAProblemAndAReference) {
  const Variant variant = first_variant();
  const std::unique_ptr<Machine> fresh = make_gpu();
  EXPECT_THROW(fresh->launch(variant), std::logic_error);
  fresh->load(Problem{.dtype = variant.dtype}, false);
  EXPECT_THROW(fresh->check(variant), std::logic_error);
  EXPECT_NO_THROW(fresh->launch(variant));
}

TEST_F(GpuMachine, RejectsAKernelThatLeavesRowsOut) {
  const Variant variant = with_half_the_rows(first_variant());
  const Problem problem{.seqlen = 4 * seqlen_step(variant.tile), .dtype = variant.dtype};
  gpu().load(problem, true);
  const OutputErrors errors = gpu().check(variant);
  EXPECT_TRUE(std::isnan(errors.max_abs));
  EXPECT_FALSE(judge(errors, problem.dtype).right);
}

// In a process of its own: after an access to memory that nobody allocated the GPU can be used no more.
TEST_F(GpuMachine, AKernelThatCrashesIsAWrongKernel) {
  const auto crash = [] {
    const std::unique_ptr<Machine> machine = make_gpu();
    Variant variant = first_variant();
    variant.plan = [plan = variant.plan](const Problem& problem, Tensors tensors) {
      tensors.q = nullptr;
      return plan(problem, tensors);
    };
    machine->load(Problem{.dtype = variant.dtype}, true);
    std::fputs(message_of<KernelError>([&] { machine->check(variant); }).c_str(), stderr);
    std::_Exit(0);
  };
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(crash(), testing::ExitedWithCode(0), "01_base .* ended its launch: .*cudaErrorIllegalAddress");
}

TEST_F(GpuMachine, GivesALaunchTheWorkspaceThatItAsksFor) {
  Variant variant = first_variant();
  constexpr int64_t workspace_bytes = 4096;
  void* given = nullptr;
  variant.workspace_bytes = [](const Problem&) { return workspace_bytes; };
  variant.plan = [&given, plan = variant.plan](const Problem& problem, const Tensors& tensors) {
    given = tensors.workspace;
    return plan(problem, tensors);
  };
  const Problem problem{.dtype = variant.dtype};
  gpu().load(problem, true);
  EXPECT_TRUE(judge(gpu().check(variant), problem.dtype).right);
  EXPECT_NE(given, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(given) % 256, 0u);
  EXPECT_EQ(gpu().memory(variant), (MemoryUse{4 * problem.bytes(), workspace_bytes}));
  EXPECT_EQ(gpu().memory(first_variant()), (MemoryUse{4 * problem.bytes(), 0}));
}

TEST_F(GpuMachine, TimesSeveralVariantsInOrder) {
  const Variant variant = first_variant();
  const Variant half = with_half_the_rows(variant);
  Problem problem{.batch = 8, .heads = 8, .seqlen = 2048, .dtype = variant.dtype};
  gpu().load(problem, false);
  const Variant* const variants[] = {&half, &variant};
  const std::vector<Timing> timings = stopwatch().time(variants, {}, {.min_samples = 5, .min_seconds = 0});
  ASSERT_EQ(timings.size(), 2u);
  for (int i = 0; i < 5; i++) EXPECT_LT(timings[0].samples_ms[i], timings[1].samples_ms[i]);
}

// No GPU multiplies more than 4096 FLOP a cycle and SM in fp16, and none of sm_80 or later less than 512.
TEST_F(GpuMachine, MeasuresTheCeilingOnceWhenItTimesAndNoKernelIsAboveIt) {
  const std::unique_ptr<Machine> fresh = make_gpu();
  EXPECT_EQ(fresh->device().mma_ceiling_tflops, std::nullopt);
  const Variant variant = first_variant();
  const Problem problem{.batch = 8, .heads = 8, .seqlen = 2048, .dtype = variant.dtype};
  fresh->load(problem, false);
  const Variant* const variants[] = {&variant};
  const TimingBudget budget{.min_samples = 5, .min_seconds = 0};
  const std::vector<Timing> timings = fresh->stopwatch()->time(variants, {}, budget);
  const DeviceFacts device = fresh->device();
  ASSERT_TRUE(device.mma_ceiling_tflops.has_value());
  const double tflops_of_one_flop_a_cycle = device.sm_count * device.sm_clock_max_mhz * 1e6 * 1e-12;
  EXPECT_LT(*device.mma_ceiling_tflops, 4096 * tflops_of_one_flop_a_cycle);
  EXPECT_GT(*device.mma_ceiling_tflops, 512 * tflops_of_one_flop_a_cycle / 2) << "at half its clock";
  const double fastest_ms = *std::min_element(timings[0].samples_ms.begin(), timings[0].samples_ms.end());
  EXPECT_LT(problem.flops() / (fastest_ms * 1e-3) * 1e-12, *device.mma_ceiling_tflops);

  fresh->stopwatch()->time(variants, {}, budget);
  EXPECT_EQ(fresh->device().mma_ceiling_tflops, device.mma_ceiling_tflops);
}

// The last rows of a problem whose elements do not fit in 31 bits, against the CPU.
TEST_F(GpuMachine, CountsElementsIn64Bits) {
  const Variant variant = first_variant();
  const Problem problem{.batch = 520, .heads = 64, .seqlen = 512, .dtype = variant.dtype};
  ASSERT_GT(problem.elements(), int64_t{1} << 31);
  try {
    gpu().load(problem, true);
  } catch (const OutOfMemory& error) {
    GTEST_SKIP() << error.what();
  }
  EXPECT_TRUE(judge(gpu().check(variant), problem.dtype).right);

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
  EXPECT_TRUE(judge(errors, problem.dtype).right);
}

}  // namespace
}  // namespace flash_steps
