// What fits in the memory of a GPU; needs none.
#include "harness/gpu/memory_need.h"

#include <gmock/gmock.h>

namespace flash_steps {
namespace {

using testing::HasSubstr;

constexpr int64_t gib = int64_t{1} << 30;

TEST(GpuMemoryNeed, CountsFourTensorsAndTheReference) {
  const Problem problem{.batch = 16, .heads = 16, .seqlen = 4096};
  EXPECT_EQ(memory_need(problem, false), 4.0 * problem.bytes());
  EXPECT_GE(memory_need(problem, true), 4.0 * problem.bytes() + 4.0 * problem.elements());
  EXPECT_LE(memory_need(problem, true), 4.0 * problem.bytes() + 4.0 * problem.elements() + gib);
}

TEST(GpuMemoryNeed, AcceptsWhatFits) {
  EXPECT_EQ(memory_refusal({.batch = 16, .heads = 16, .seqlen = 4096}, true, 79 * gib), std::nullopt);
}

TEST(GpuMemoryNeed, NamesTheNumbersAndTheLargestBatchThatFits) {
  Problem problem{.batch = 1000, .heads = 16, .seqlen = 4096};
  const std::optional<std::string> refusal = memory_refusal(problem, false, 10 * gib);
  ASSERT_TRUE(refusal.has_value());
  // 64 MiB a batch entry, and 64 MiB stay free for CUDA.
  EXPECT_EQ(
      *refusal,
      "batch 1000, heads 16, seqlen 4096 needs 62.5 GiB of GPU memory and 10.0 GiB are free; --batch=159 would fit");
  problem.batch = 159;
  EXPECT_EQ(memory_refusal(problem, false, 10 * gib), std::nullopt);
}

TEST(GpuMemoryNeed, GoesOnToHeadsAndSeqlenWhereNoBatchFits) {
  EXPECT_THAT(*memory_refusal({.batch = 2, .heads = 1000, .seqlen = 1 << 20}, false, 10 * gib),
              HasSubstr("; --batch=1 --heads=9 would fit"));
  EXPECT_THAT(*memory_refusal({.seqlen = 1 << 30}, false, 10 * gib),
              HasSubstr("; --batch=1 --heads=1 --seqlen=10420224 would fit"));
}

TEST(GpuMemoryNeed, SaysSoWhereNothingFits) {
  EXPECT_THAT(*memory_refusal({}, false, 0), HasSubstr("more free memory would help"));
}

TEST(GpuMemoryNeed, CountsTheWorkspaceOfAVariantAndNamesIt) {
  Variant variant{.tile = {}, .dtype = Dtype::fp16};
  const Problem problem{.batch = 1, .heads = 16, .seqlen = 65536};
  EXPECT_EQ(memory_refusal(problem, false, 10 * gib, &variant), std::nullopt) << "it has none";
  variant.workspace_bytes = [](const Problem& p) { return int64_t{2} * p.batch * p.heads * p.seqlen * p.seqlen; };
  EXPECT_EQ(
      *memory_refusal(problem, false, 79 * gib, &variant),
      "batch 1, heads 16, seqlen 65536 needs 129.0 GiB of GPU memory, since its workspace has 128.0 GiB, and 79.0 "
      "GiB are free; --batch=1 --heads=9 would fit");
  // Its bytes are more than 2⁶³ here.
  EXPECT_THAT(*memory_refusal({.batch = 488, .seqlen = 2147483520}, false, 79 * gib, &variant),
              HasSubstr("--batch=1 --heads=1 --seqlen="));
}

TEST(GpuMemoryNeed, SurvivesShapesBeyond64Bits) {
  const Problem problem{.batch = 2147483647, .heads = 2147483647, .seqlen = 2147483520};
  EXPECT_THAT(*memory_refusal(problem, true, 79 * gib), HasSubstr(" would fit"));
}

}  // namespace
}  // namespace flash_steps
