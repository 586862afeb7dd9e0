// What no machine could run is refused before there is one, and which problems the settings ask for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/error.h"
#include "harness/measure/plan.h"

namespace flash_steps {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

// Choices that no machine could run.
class Choice : public testing::Test {
 protected:
  static Variant variant(const char* config, int rows, int cols, Dtype dtype = Dtype::fp16) {
    Variant variant{};
    variant.tile.config = config;
    variant.tile.tile_rows = rows;
    variant.tile.tile_cols = cols;
    variant.dtype = dtype;
    return variant;
  }

  std::string refusal(const Settings& settings) const {
    try {
      check_choice({&kernel_}, settings);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "accepted";
  }

  Kernel kernel_{
      "07_autotune", "", {variant("64x64", 64, 64), variant("128x32", 128, 32), variant("64x64", 64, 64, Dtype::bf16)}};
};

TEST_F(Choice, AConfigThatDoesNotExistIsAnsweredWithThoseThatDo) {
  Settings settings;
  settings.config = "32x32";
  EXPECT_THAT(refusal(settings),
              AllOf(HasSubstr("--config=32x32"), HasSubstr("07_autotune"), HasSubstr("64x64, 128x32")));
  settings.config = "all";
  EXPECT_EQ(refusal(settings), "accepted");
  settings.config = "*x32";
  EXPECT_EQ(refusal(settings), "accepted");
}

TEST_F(Choice, ASeqlenIsRefusedIfNoChosenTileDividesIt) {
  Settings settings;
  settings.seqlens = {192};
  EXPECT_EQ(refusal(settings), "accepted");  // 64x64 can
  settings.config = "128x32";
  EXPECT_THAT(refusal(settings), AllOf(HasSubstr("07_autotune 128x32"), HasSubstr("128 and 256 would work")));
}

TEST_F(Choice, ProfilingTakesOneKernelAndOneProblem) {
  Settings settings;
  settings.purpose = Purpose::profile;
  settings.seqlens = {128, 256};
  EXPECT_EQ(refusal(settings), "--profile launches one length, and --seqlen has 2; --seqlen=128 would work");
  settings.seqlens = {128};
  settings.dtypes = {Dtype::bf16, Dtype::fp16};
  EXPECT_EQ(refusal(settings), "--profile launches one type, and --dtype has 2; --dtype=bf16 would work");
  settings.dtypes = {Dtype::bf16};
  settings.inputs = {InputDistribution::large, InputDistribution::tiny};
  EXPECT_EQ(refusal(settings), "--profile launches one distribution, and --inputs has 2; --inputs=large would work");
  settings.inputs = {InputDistribution::large};
  EXPECT_EQ(refusal(settings), "accepted");
  EXPECT_THROW(check_choice({&kernel_, &kernel_}, settings), UsageError);
}

TEST_F(Choice, WhatIsLeftOpenComesFromTheMachine) {
  Problem open;
  open.batch = 16;
  open.heads = 8;
  open.seqlen = 4096;
  EXPECT_THAT(problems_of(Settings{}, open), ElementsAre(open));

  Settings settings;
  settings.batch = 2;
  settings.seqlens = {64, 128};
  settings.seed = 9;
  Problem expected = open;
  expected.batch = 2;
  expected.seed = 9;
  expected.seqlen = 64;
  Problem second = expected;
  second.seqlen = 128;
  EXPECT_THAT(problems_of(settings, open), ElementsAre(expected, second));
}

TEST_F(Choice, EachCombinationOfTypeDistributionAndLengthIsAProblem) {
  Settings settings;
  settings.dtypes = {Dtype::fp16, Dtype::bf16};
  settings.inputs = {InputDistribution::tiny, InputDistribution::normal};
  settings.seqlens = {64, 128};
  std::vector<Problem> expected;
  for (Dtype dtype : settings.dtypes) {
    for (InputDistribution inputs : settings.inputs) {
      for (int seqlen : settings.seqlens) expected.push_back({.seqlen = seqlen, .dtype = dtype, .inputs = inputs});
    }
  }
  EXPECT_THAT(problems_of(settings, Problem{}), ElementsAreArray(expected));
}

TEST_F(Choice, TheBatchThatIsLeftOpenIsThePublishedOneOfEachLength) {
  Problem open;
  open.batch = 16;
  Settings settings;
  settings.seqlens = {64, 512, 1024, 2048, 4096, 8192, 16384, 32768, 131072};
  const auto batches = [&] {
    std::vector<int> values;
    for (const Problem& problem : problems_of(settings, open)) values.push_back(problem.batch);
    return values;
  };
  EXPECT_THAT(batches(), ElementsAre(16, 16, 16, 16, 16, 8, 4, 2, 1));
  open.batch = 1;  // the emulator's
  EXPECT_THAT(batches(), Each(1));
  settings.batch = 16;
  EXPECT_THAT(batches(), Each(16));
}

TEST_F(Choice, SizesBeyondAnyMemoryAreRefusedBeforeTheyOverflow) {
  Settings settings;
  settings.batch = 65535;
  settings.heads = 65535;
  settings.seqlens = {2147483584};
  EXPECT_THROW(problems_of(settings, Problem{}), MachineError);
}

}  // namespace
}  // namespace flash_steps
