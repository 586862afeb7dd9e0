// Which kernels and configs a machine is given for a problem, and what is left out with which sentence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/error.h"
#include "harness/contract/coverage.h"
#include "harness/contract/problem.h"
#include "harness/measure/plan.h"
#include "tests/support/recording_machine.h"

namespace flash_steps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Jobs : public testing::Test {
 protected:
  std::vector<std::string> configs(const RecordingMachine& machine, int seqlen) {
    problem_.seqlen = seqlen;
    plan_ = plan_for(problem_, {&kernel_}, settings_, machine);
    std::vector<std::string> names;
    for (const Job& job : plan_.jobs) names.push_back(job.variant->tile.config);
    return names;
  }

  Kernel kernel_{"07_autotune",
                 "",
                 {variant_of("128x64", 128), variant_of("64x64")},
                 {variant_of("128x64", 128), variant_of("64x64")}};
  RecordingMachine gpu_{Target::gpu};
  RecordingMachine emulator_{Target::emulator};
  Settings settings_;
  Problem problem_;
  Plan plan_;
};

TEST_F(Jobs, AGpuTakesAllConfigsAndTheEmulatorTheFirst) {
  EXPECT_THAT(configs(gpu_, 256), ElementsAre("128x64", "64x64"));
  EXPECT_THAT(configs(emulator_, 256), ElementsAre("128x64"));
  settings_.config = "all";
  EXPECT_THAT(configs(emulator_, 256), ElementsAre("128x64", "64x64"));
  settings_.config = "64x64";
  EXPECT_THAT(configs(gpu_, 256), ElementsAre("64x64"));
  EXPECT_THAT(plan_.left_out, IsEmpty());
}

TEST_F(Jobs, ConfigsThatCannotRunAreLeftOutAndSaid) {
  EXPECT_THAT(configs(gpu_, 192), ElementsAre("64x64"));
  EXPECT_THAT(configs(emulator_, 192), ElementsAre("64x64"));
  EXPECT_THAT(plan_.left_out, ElementsAre(HasSubstr("07_autotune 128x64: seqlen 192")));
  gpu_.refused = "64x64";
  EXPECT_THAT(configs(gpu_, 256), ElementsAre("128x64"));
  EXPECT_THAT(plan_.left_out, ElementsAre(HasSubstr("too much shared memory")));
}

TEST_F(Jobs, ConfigsForOtherHeadDimensionsAreNotSpokenOf) {
  Variant short_heads = variant_of("d64_64x64");
  short_heads.coverage.head_dims = {64};
  const Kernel both{"v03_head_dim", "", {variant_of("d128_64x64"), short_heads}};
  problem_.seqlen = 128;
  problem_.head_dim = 64;
  const Plan plan = plan_for(problem_, {&both}, settings_, emulator_);
  ASSERT_THAT(plan.jobs, SizeIs(1));
  EXPECT_EQ(plan.jobs[0].variant->tile.config, "d64_64x64");
  EXPECT_THAT(plan.left_out, IsEmpty());
  settings_.config = "d128_64x64";
  EXPECT_THROW(plan_for(problem_, {&both}, settings_, emulator_), UsageError);
}

TEST_F(Jobs, HeadsOfKeysMustDivideThoseOfQueries) {
  settings_.heads = 6;
  settings_.kv_heads = 4;
  EXPECT_THROW(problems_of(settings_, {}), UsageError);
  settings_.kv_heads = 3;
  EXPECT_EQ(problems_of(settings_, {}).front().key_heads(), 3);
}

TEST_F(Jobs, OfSeveralKernelsThoseThatCannotRunAreLeftOut) {
  const Kernel small{"01_base", "", {variant_of("32x32", 32, 32)}, {}};
  problem_.seqlen = 96;
  const Plan plan = plan_for(problem_, {&kernel_, &small}, settings_, emulator_);
  ASSERT_THAT(plan.jobs, SizeIs(1));
  EXPECT_EQ(plan.jobs[0].kernel, &small);
  EXPECT_THAT(plan.left_out, ElementsAre(HasSubstr("07_autotune 128x64: seqlen 96")));
}

TEST_F(Jobs, WhatNoKernelHereCoversIsRefusedWithTheOneThatWould) {
  Variant causal = variant_of("64x64");
  causal.coverage.masks = {Mask::none, Mask::causal};
  const std::vector<Kernel> there_are = {Kernel("01_base", "", {variant_of("64x64")}),
                                         Kernel("v02_causal", "", {causal})};
  problem_.mask = Mask::causal;
  EXPECT_EQ(refusal(variant_of("64x64"), problem_, there_are), "a causal mask is not covered; v02_causal would work");
  EXPECT_EQ(refusal(causal, problem_, there_are), std::nullopt);
  problem_.padding = 20;
  EXPECT_EQ(refusal(causal, problem_, there_are),
            "packing sequences of different lengths is not covered; no kernel here covers it");
  problem_.dropout = 0.5;
  EXPECT_EQ(refusal(causal, problem_, there_are), "dropout is not covered; no kernel here covers it");
  EXPECT_THROW(configs(emulator_, 256), UsageError);
}

TEST_F(Jobs, AKernelWithoutAnyIsRefused) {
  EXPECT_THROW(configs(gpu_, 100), UsageError);
  gpu_.refused = "64x64";
  EXPECT_THROW(configs(gpu_, 192), MachineError);
  settings_.config = "64x64";
  EXPECT_THROW(configs(gpu_, 256), MachineError);
}

}  // namespace
}  // namespace flash_steps
