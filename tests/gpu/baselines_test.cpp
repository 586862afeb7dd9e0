// The baselines compute attention.
#include <gmock/gmock.h>

#include "harness/contract/registry.h"
#include "harness/truth/judge.h"
#include "tests/support/gpu_test.h"

namespace flash_steps {
namespace {

using testing::StartsWith;

struct BaselineCase {
  Baseline baseline;
  InputCase inputs;
};

void PrintTo(const BaselineCase& c, std::ostream* out) {
  *out << name_of(c.baseline) << " ";
  PrintTo(c.inputs, out);
}

// Why the baseline cannot run on the loaded problem; nothing if it is ready.
template <typename Error = MachineError>
std::optional<std::string> refusal(Stopwatch& stopwatch, Baseline baseline) {
  try {
    stopwatch.prepare(baseline);
    return std::nullopt;
  } catch (const Error& error) {
    return error.what();
  }
}

class GpuBaselines : public GpuTestWith<BaselineCase> {};

TEST_P(GpuBaselines, AreRightAtSeveralShapes) {
  const auto [baseline, inputs] = GetParam();
  if (baseline == Baseline::pytorch && inputs.inputs == InputDistribution::tiny && inputs.dtype == Dtype::fp16) {
    GTEST_SKIP() << "pytorch scales Q before the product, and rounds what is subnormal in fp16 then";
  }
  constexpr struct {
    int batch, heads, seqlen;
  } shapes[] = {{1, 1, 64}, {2, 3, 192}, {1, 2, 1024}, {3, 1, 328}, {1, 1, 8200}};
  for (const auto& [batch, heads, seqlen] : shapes) {
    const Problem problem{
        .batch = batch, .heads = heads, .seqlen = seqlen, .dtype = inputs.dtype, .inputs = inputs.inputs};
    gpu().load(problem, true);
    if (const auto why_not = refusal(stopwatch(), baseline)) {
      if (baseline == Baseline::standard) FAIL() << *why_not;
      GTEST_SKIP() << *why_not;
    }
    EXPECT_FALSE(stopwatch().implementation(baseline).empty());
    for (int run = 0; run < 2; run++) {
      const OutputErrors errors = stopwatch().check(baseline);
      EXPECT_TRUE(judge(errors, problem.dtype).right)
          << describe(problem) << ": " << errors.max_abs << " where ref16 has " << errors.ref16_max_abs;
    }
  }
}

// One for each baseline, of what the variants compute.
class BaselinesOfVariants : public GpuTestWith<Baseline> {};

std::vector<Problem> problems_of_variants() {
  const Problem problems[] = {{.batch = 2, .heads = 3, .seqlen = 200, .head_dim = 64},
                              {.batch = 2, .heads = 3, .seqlen = 333, .head_dim = 32, .mask = Mask::causal},
                              {.batch = 2, .heads = 4, .seqlen = 256, .head_dim = 64, .kv_heads = 2},
                              {.batch = 1, .heads = 2, .seqlen = 130, .seqlen_kv = 300, .mask = Mask::causal},
                              {.batch = 1, .heads = 2, .seqlen = 300, .seqlen_kv = 130, .mask = Mask::causal},
                              {.batch = 2, .heads = 2, .seqlen = 512, .head_dim = 64, .dropout = 0.1},
                              {.batch = 3, .heads = 2, .seqlen = 256, .head_dim = 64, .padding = 20},
                              {.batch = 3,
                               .heads = 4,
                               .seqlen = 256,
                               .head_dim = 64,
                               .dtype = Dtype::bf16,
                               .kv_heads = 1,
                               .dropout = 0.3,
                               .mask = Mask::causal,
                               .padding = 20}};
  std::vector<Problem> all;
  for (Problem problem : problems) {
    for (const Pass pass : {Pass::forward, Pass::backward}) {
      problem.pass = pass;
      all.push_back(problem);
    }
  }
  return all;
}

TEST_P(BaselinesOfVariants, AreRightOrRefusedByASentence) {
  const Baseline baseline = GetParam();
  int checked = 0;
  for (const Problem& problem : problems_of_variants()) {
    SCOPED_TRACE(describe(problem));
    gpu().load(problem, true);
    const auto why_not = refusal(stopwatch(), baseline);
    if (const auto expected = flash_steps::refusal(baseline, problem)) {
      EXPECT_EQ(why_not, expected);
      continue;
    }
    if (why_not && baseline != Baseline::standard && checked == 0) GTEST_SKIP() << *why_not;  // without the plugin
    ASSERT_EQ(why_not, std::nullopt);
    for (int run = 0; run < 2; run++) {
      const OutputErrors errors = stopwatch().check(baseline);
      EXPECT_TRUE(judge(errors, problem.dtype).right)
          << name_of(errors.output) << ": " << errors.max_abs << " where ref16 has " << errors.ref16_max_abs;
    }
    checked++;
  }
  EXPECT_GT(checked, 0);
}

INSTANTIATE_TEST_SUITE_P(All, BaselinesOfVariants, testing::ValuesIn(all_baselines),
                         [](const testing::TestParamInfo<Baseline>& info) { return name_of(info.param); });

std::vector<BaselineCase> all_baseline_cases() {
  std::vector<BaselineCase> cases;
  for (const Baseline baseline : all_baselines) {
    for (const InputCase& inputs : all_input_cases()) cases.push_back({baseline, inputs});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, GpuBaselines, testing::ValuesIn(all_baseline_cases()),
                         [](const testing::TestParamInfo<BaselineCase>& info) {
                           const InputCase& inputs = info.param.inputs;
                           return std::string(name_of(info.param.baseline)) + "_" + name_of(inputs.dtype) + "_" +
                                  name_of(inputs.inputs);
                         });

class PreparedBaseline : public GpuTest {};

TEST_F(PreparedBaseline, StandardAttentionSaysWhenItsLogitsDoNotFit) {
  // Q, K, V and O take 2 GiB, the logits 8 TiB.
  gpu().load({.batch = 1, .heads = 16, .seqlen = 524288}, false);
  const auto why_not = refusal<OutOfMemory>(stopwatch(), Baseline::standard);
  ASSERT_TRUE(why_not.has_value());
  EXPECT_THAT(*why_not, StartsWith("standard attention keeps"));
  EXPECT_THROW(stopwatch().implementation(Baseline::standard), std::logic_error);
}

TEST_F(PreparedBaseline, OnlyStandardAttentionHoldsTheLogits) {
  const Problem problem{.batch = 2, .heads = 4, .seqlen = 2048};
  const int64_t logits_bytes = int64_t{2} * problem.batch * problem.heads * problem.seqlen * problem.seqlen;
  gpu().load(problem, false);
  EXPECT_THROW(stopwatch().memory(Baseline::standard), std::logic_error);

  ASSERT_EQ(refusal(stopwatch(), Baseline::standard), std::nullopt);
  const MemoryUse standard = stopwatch().memory(Baseline::standard);
  EXPECT_EQ(standard.tensor_bytes, 4 * problem.bytes());
  EXPECT_GE(standard.workspace_bytes, logits_bytes);
  EXPECT_LE(standard.workspace_bytes, logits_bytes + 4096);

  for (const Baseline baseline : {Baseline::fa2, Baseline::cudnn}) {
    if (const auto why_not = refusal(stopwatch(), baseline)) GTEST_SKIP() << *why_not;
    const MemoryUse memory = stopwatch().memory(baseline);
    EXPECT_EQ(memory.tensor_bytes, 4 * problem.bytes());
    EXPECT_GE(memory.workspace_bytes, 0) << name_of(baseline);
    EXPECT_LT(memory.workspace_bytes, logits_bytes / 2) << name_of(baseline);
    EXPECT_EQ(stopwatch().memory(baseline), memory);
  }
}

// P, what dropout leaves of it, dP and a byte of the mask; PyTorch holds a second gradient of the scores besides.
TEST_F(PreparedBaseline, ABackwardPassHoldsWhatTheForwardOneLeft) {
  const Problem problem{.batch = 2, .heads = 4, .seqlen = 2048, .head_dim = 64, .dropout = 0.1, .pass = Pass::backward};
  const int64_t scores = int64_t{problem.batch} * problem.heads * problem.seqlen * problem.seqlen;
  gpu().load(problem, false);
  ASSERT_EQ(refusal(stopwatch(), Baseline::standard), std::nullopt);
  const int64_t standard = stopwatch().memory(Baseline::standard).workspace_bytes;
  EXPECT_GE(standard, 7 * scores);
  EXPECT_LE(standard, 7 * scores + 65536);

  if (const auto why_not = refusal(stopwatch(), Baseline::pytorch)) GTEST_SKIP() << *why_not;
  const int64_t pytorch = stopwatch().memory(Baseline::pytorch).workspace_bytes;
  EXPECT_GE(pytorch, 7 * scores);
  EXPECT_LE(pytorch, 12 * scores);
}

// Autograd goes back on the stream that it came on, and the timer's is not that of the check.
TEST_F(PreparedBaseline, PytorchsBackwardPassIsRightBeforeAndAfterItIsTimed) {
  gpu().load({.batch = 2, .heads = 4, .seqlen = 512, .head_dim = 64, .pass = Pass::backward}, true);
  if (const auto why_not = refusal(stopwatch(), Baseline::pytorch)) GTEST_SKIP() << *why_not;
  const Baseline baselines[] = {Baseline::pytorch};
  for (int time = 0; time < 2; time++) {
    EXPECT_TRUE(judge(stopwatch().check(Baseline::pytorch), Dtype::fp16).right);
    const std::vector<Timing> timings = stopwatch().time({}, baselines, {.min_samples = 3, .min_seconds = 0});
    ASSERT_EQ(timings.size(), 1u);
    EXPECT_EQ(timings[0].samples_ms.size(), 3u);
  }
}

TEST_F(PreparedBaseline, BaselinesAreTimedAfterTheKernels) {
  const Variant& variant = any_variant();
  gpu().load({.batch = 4, .heads = 4, .seqlen = 2048, .dtype = variant.dtype}, false);
  ASSERT_EQ(refusal(stopwatch(), Baseline::standard), std::nullopt);
  const Variant* const variants[] = {&variant};
  const Baseline baselines[] = {Baseline::standard};
  const std::vector<Timing> timings = stopwatch().time(variants, baselines, {.min_samples = 5, .min_seconds = 0});
  ASSERT_EQ(timings.size(), 2u);
  for (const Timing& timing : timings) {
    EXPECT_EQ(timing.samples_ms.size(), 5u);
    for (const double sample : timing.samples_ms) EXPECT_GT(sample, 0);
  }
}

TEST_F(PreparedBaseline, ABaselineThatIsNotPreparedCannotRun) {
  gpu().load({.seqlen = 64}, true);
  EXPECT_THROW(stopwatch().check(Baseline::standard), std::logic_error);
}

}  // namespace
}  // namespace flash_steps
