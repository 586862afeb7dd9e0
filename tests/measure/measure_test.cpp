// The order of checking and timing, with a backend that only records what it is asked.
#include "harness/measure/measure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "harness/measure/plan.h"
#include "tests/support/recording_backend.h"

namespace flash_steps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Measure : public testing::Test {
 protected:
  Measurement measured(RecordingBackend& backend) {
    Progress progress;
    problem_.seqlen = 1024;
    return Measurer(backend, options_, progress).measure(problem_, {{&kernel_, &a_}, {&kernel_, &b_}});
  }

  Kernel kernel_{"01_base", "", "", {variant_of("a"), variant_of("b")}, {variant_of("a"), variant_of("b")}};
  Variant a_ = variant_of("a");
  Variant b_ = variant_of("b");
  Options options_;
  Problem problem_;
};

TEST_F(Measure, AGpuChecksThreeAndFourBlocksThenTheProblemBeforeAndAfterTiming) {
  RecordingBackend gpu(Target::gpu);
  const Measurement result = measured(gpu);
  EXPECT_THAT(gpu.events, ElementsAre("load 192", "check a", "check b", "load 256", "check a", "check b", "load 1024",
                                      "check a", "check b", "time a b", "check a", "check b"));
  EXPECT_THAT(result.complaints, IsEmpty());
  ASSERT_THAT(result.runs, SizeIs(2));
  EXPECT_EQ(result.runs[0].problem, problem_);
  EXPECT_EQ(result.runs[0].timing->median_ms, 2);
  EXPECT_EQ(result.runs[0].counters, std::nullopt);
}

TEST_F(Measure, RepeatsWhatIsRightAndReportsOutputsThatDiffer) {
  for (const Target target : {Target::gpu, Target::emulator}) {
    RecordingBackend backend(target);
    backend.irreproducible = "b";
    options_.mode = Mode::check_only;
    options_.repeats = 250;
    const Measurement result = measured(backend);
    EXPECT_THAT(backend.events, testing::IsSupersetOf({"repeat a 250", "repeat b 250"}));
    EXPECT_EQ(backend.loaded, problem_) << "the repeats are of the problem";
    EXPECT_EQ(result.runs[0].determinism, (Determinism{250, true}));
    EXPECT_EQ(result.runs[1].determinism, (Determinism{250, false}));
    EXPECT_TRUE(result.runs[1].validation.passed) << "each output may be right";
    ASSERT_THAT(result.complaints, SizeIs(1));
    EXPECT_THAT(result.complaints[0], HasSubstr("01_base b is not deterministic at batch 1, heads 1, seqlen 1024"));
    EXPECT_THAT(result.complaints[0], HasSubstr("of 250 outputs 2 differ"));
  }
}

TEST_F(Measure, AWrongKernelIsNotRepeated) {
  RecordingBackend gpu(Target::gpu);
  gpu.is_wrong = [](const Variant& variant) { return variant.tile.config == "a"; };
  options_.mode = Mode::check_only;
  options_.repeats = 2;
  const Measurement result = measured(gpu);
  EXPECT_THAT(gpu.events, testing::Not(testing::Contains("repeat a 2")));
  EXPECT_EQ(result.runs[0].determinism, std::nullopt);
  EXPECT_EQ(result.runs[1].determinism, (Determinism{2, true}));
}

TEST_F(Measure, TheEmulatorRunsEachJobOnce) {
  RecordingBackend emulator(Target::emulator);
  emulator.observed = Observation{};
  emulator.observed->counters.mma_instructions = 7;
  emulator.observed->lines = {{"01_base.cu", 1, "mma_m16n8k16", 7, 0, 0, 0}};
  const Measurement result = measured(emulator);
  EXPECT_THAT(emulator.events, ElementsAre("load 1024", "check a", "check b"));
  EXPECT_EQ(result.runs[0].counters->mma_instructions, 7u);
  EXPECT_EQ(result.runs[0].timing, std::nullopt);
  EXPECT_THAT(result.runs[0].lines, IsEmpty());
  options_.mode = Mode::explain;
  EXPECT_THAT(measured(emulator).runs[0].lines, SizeIs(1));
}

TEST_F(Measure, CheckOnlyNeitherTimesNorCounts) {
  RecordingBackend gpu(Target::gpu);
  options_.mode = Mode::check_only;
  const Measurement result = measured(gpu);
  EXPECT_EQ(gpu.events.back(), "check b");
  EXPECT_THAT(gpu.events, testing::Not(testing::Contains(HasSubstr("time"))));
  EXPECT_EQ(result.runs[0].timing, std::nullopt);

  RecordingBackend emulator(Target::emulator);
  emulator.observed = Observation{};
  EXPECT_EQ(measured(emulator).runs[0].counters, std::nullopt);
}

TEST_F(Measure, CheckOnlyAlsoChecksTheBaselinesAndKeepsTheirErrors) {
  RecordingBackend gpu(Target::gpu);
  options_.mode = Mode::check_only;
  options_.baselines = {Baseline::fa2};
  gpu.errors_of_baselines = 0.25;
  const Measurement result = measured(gpu);
  gpu.events.erase(gpu.events.begin(), gpu.events.begin() + 6);  // the small shapes
  EXPECT_THAT(gpu.events, ElementsAre("load 1024", "check a", "check b", "prepare fa2", "check fa2"));
  ASSERT_THAT(result.baselines, SizeIs(1));
  EXPECT_EQ(result.baselines[0].validation.max_abs_error, 0.25);
  EXPECT_EQ(result.baselines[0].timing, std::nullopt);
  EXPECT_TRUE(result.runs[0].baselines.empty());
}

TEST_F(Measure, AWrongKernelIsNotTimedAndTheOthersGoOn) {
  RecordingBackend gpu(Target::gpu);
  gpu.is_wrong = [](const Variant& variant) { return variant.tile.config == "a"; };
  const Measurement result = measured(gpu);
  EXPECT_THAT(gpu.events, ElementsAre("load 192", "check a", "check b", "load 256", "check b", "load 1024", "check b",
                                      "time b", "check b"));
  EXPECT_FALSE(result.runs[0].validation.passed);
  EXPECT_EQ(result.runs[0].timing, std::nullopt);
  EXPECT_TRUE(result.runs[1].validation.passed);
  ASSERT_THAT(result.complaints, SizeIs(1));
  EXPECT_THAT(result.complaints[0], HasSubstr("01_base a is wrong at batch 2, heads 2, seqlen 192"));
}

TEST_F(Measure, AKernelThatGoesWrongWhileTimedIsCaught) {
  RecordingBackend gpu(Target::gpu);
  gpu.is_wrong = [&](const Variant& variant) {
    return variant.tile.config == "b" && testing::Matches(testing::Contains(HasSubstr("time")))(gpu.events);
  };
  const Measurement result = measured(gpu);
  EXPECT_TRUE(result.runs[0].validation.passed);
  EXPECT_FALSE(result.runs[1].validation.passed);
  EXPECT_THAT(result.complaints, SizeIs(1));
}

TEST_F(Measure, SmallShapesAreCheckedOnceForEachVariantThatPasses) {
  RecordingBackend gpu(Target::gpu);
  gpu.is_wrong = [&](const Variant& variant) { return variant.tile.config == "a" && gpu.loaded.seqlen == 192; };
  Progress progress;
  Measurer measurer(gpu, options_, progress);
  problem_.seqlen = 1024;
  measurer.measure(problem_, {{&kernel_, &a_}, {&kernel_, &b_}});
  gpu.events.clear();
  problem_.seqlen = 2048;
  const Measurement second = measurer.measure(problem_, {{&kernel_, &a_}, {&kernel_, &b_}});
  EXPECT_THAT(gpu.events, ElementsAre("load 192", "check a", "load 2048", "check b", "time b", "check b"));
  EXPECT_FALSE(second.runs[0].validation.passed);
}

TEST_F(Measure, EachSmallShapeIsLoadedOnce) {
  RecordingBackend gpu(Target::gpu);
  a_ = variant_of("a", 128);
  Variant c = variant_of("c", 128);
  Progress progress;
  problem_.seqlen = 1024;
  options_.mode = Mode::check_only;
  Measurer(gpu, options_, progress).measure(problem_, {{&kernel_, &a_}, {&kernel_, &b_}, {&kernel_, &c}});
  EXPECT_THAT(gpu.events, ElementsAre("load 384", "check a", "check c", "load 192", "check b", "load 512", "check a",
                                      "check c", "load 256", "check b", "load 1024", "check a", "check b", "check c"));
}

TEST_F(Measure, BaselinesAreCheckedAndTimedInTheSameRounds) {
  RecordingBackend gpu(Target::gpu);
  gpu.milliseconds = {{"a", 3}, {"b", 7}, {"fa2", 1}, {"standard", 15}};
  options_.baselines = {Baseline::standard, Baseline::fa2};
  const Measurement result = measured(gpu);
  gpu.events.erase(gpu.events.begin(), gpu.events.begin() + 6);  // the small shapes
  EXPECT_THAT(gpu.events,
              ElementsAre("load 1024", "check a", "check b", "prepare standard", "prepare fa2", "check standard",
                          "check fa2", "time a b standard fa2", "check a", "check b", "check standard", "check fa2"));
  EXPECT_THAT(result.notes, IsEmpty());
  ASSERT_THAT(result.baselines, SizeIs(2));
  EXPECT_EQ(result.baselines[0].baseline, Baseline::standard);
  EXPECT_EQ(result.baselines[0].problem, problem_);
  EXPECT_EQ(result.baselines[0].timing->median_ms, 16);
  EXPECT_EQ(result.baselines[1].implementation, "fa2 1.0");
  EXPECT_TRUE(result.baselines[1].validation.passed);
  EXPECT_EQ(result.runs[0].baselines.at(Baseline::fa2).percent, 50);
  EXPECT_EQ(result.runs[0].baselines.at(Baseline::standard).percent, 400);
  EXPECT_EQ(result.runs[1].baselines.at(Baseline::fa2).percent, 25);
  EXPECT_EQ(result.runs[1].baselines.at(Baseline::fa2).median_ms, 2);
}

TEST_F(Measure, TheMemoryIsThatOfTheProblemAndNotOfASmallShape) {
  RecordingBackend gpu(Target::gpu);
  gpu.missing = Baseline::fa2;
  gpu.is_wrong = [&](const Variant& variant) { return variant.tile.config == "a" && gpu.loaded.seqlen == 192; };
  options_.mode = Mode::check_only;
  options_.baselines = {Baseline::standard, Baseline::fa2};
  const Measurement result = measured(gpu);
  EXPECT_EQ(result.runs[0].memory, std::nullopt) << "it never came to the problem";
  EXPECT_EQ(result.runs[1].memory, (MemoryUse{.tensor_bytes = 4 * problem_.bytes()}));
  EXPECT_EQ(result.baselines[0].memory, (MemoryUse{.tensor_bytes = 4 * problem_.bytes(), .workspace_bytes = 7}));
  EXPECT_EQ(result.baselines[1].memory, std::nullopt);
}

TEST_F(Measure, ABaselineThatCannotRunKeepsNothingFromRunning) {
  RecordingBackend gpu(Target::gpu);
  gpu.missing = Baseline::fa2;
  options_.baselines = {Baseline::fa2, Baseline::standard};
  const Measurement result = measured(gpu);
  EXPECT_THAT(gpu.events, testing::Contains("time a b standard"));
  EXPECT_THAT(gpu.events, testing::Not(testing::Contains("check fa2")));
  EXPECT_THAT(result.notes, ElementsAre("there is none"));
  EXPECT_THAT(result.complaints, IsEmpty());
  EXPECT_EQ(result.baselines[0].unavailable, "there is none");
  EXPECT_EQ(result.baselines[0].timing, std::nullopt);
  EXPECT_EQ(result.runs[0].baselines.count(Baseline::fa2), 0u);
  EXPECT_EQ(result.runs[0].baselines.count(Baseline::standard), 1u);
}

TEST_F(Measure, AWrongBaselineIsReportedAndNotTimed) {
  RecordingBackend gpu(Target::gpu);
  gpu.wrong = Baseline::fa2;
  options_.baselines = {Baseline::fa2};
  const Measurement result = measured(gpu);
  EXPECT_THAT(gpu.events, testing::Contains("time a b"));
  ASSERT_THAT(result.complaints, SizeIs(1));
  EXPECT_THAT(result.complaints[0], HasSubstr("fa2 is wrong at"));
  EXPECT_FALSE(result.baselines[0].validation.passed);
}

TEST_F(Measure, OfSeveralKernelsAFewSamplesRankTheConfigsAndTheBestAreTimedInFull) {
  RecordingBackend gpu(Target::gpu);
  gpu.milliseconds = {{"a", 9}, {"b", 4}, {"c", 7}, {"d", 6}};
  Kernel several{"07_autotune", "", "", {variant_of("a"), variant_of("b"), variant_of("d")}, {}};
  Kernel other{"02_swizzling", "", "", {variant_of("c")}, {}};
  options_.baselines = {Baseline::fa2};
  options_.budget = {.min_samples = 20, .min_seconds = 0.5};
  problem_.seqlen = 1024;
  Progress progress;
  const Measurement result = Measurer(gpu, options_, progress)
                                 .measure(problem_, {{&several, &several.gpu[0]},
                                                     {&several, &several.gpu[1]},
                                                     {&several, &several.gpu[2]},
                                                     {&other, &other.gpu[0]}});
  EXPECT_THAT(gpu.events, testing::Contains("time a b d c fa2"));
  EXPECT_THAT(gpu.events, testing::Contains("time b d c fa2"));
  ASSERT_THAT(gpu.budgets, SizeIs(2));
  EXPECT_LT(gpu.budgets[0].min_samples, 20);
  EXPECT_LT(gpu.budgets[0].min_seconds, 0.5);
  EXPECT_EQ(gpu.budgets[1].min_samples, 20);
  EXPECT_EQ(gpu.budgets[1].min_seconds, 0.5);
  EXPECT_EQ(result.runs[0].timing->median_ms, 10);
  EXPECT_FALSE(result.runs[0].timing->full_budget);
  EXPECT_EQ(result.runs[0].baselines.at(Baseline::fa2).percent, 20);  // also of the ranking
  for (const size_t i : {1, 2, 3}) EXPECT_TRUE(result.runs[i].timing->full_budget) << i;
}

// Clocks change: in most rounds "lucky" is the slowest, and yet its median is the lowest.
TEST_F(Measure, ConfigsAreRankedByPairs) {
  RecordingBackend gpu(Target::gpu);
  gpu.samples = {{"a", {1, 2, 3, 8, 9}}, {"b", {1.01, 2.02, 3.03, 8.08, 9.09}}, {"lucky", {2.1, 2.2, 3.1, 1, 1}}};
  Kernel several{"07_autotune", "", "", {variant_of("lucky"), variant_of("a"), variant_of("b")}, {}};
  Kernel other{"02_swizzling", "", "", {variant_of("c")}, {}};
  problem_.seqlen = 1024;
  Progress progress;
  Measurer(gpu, options_, progress)
      .measure(problem_, {{&several, &several.gpu[0]},
                          {&several, &several.gpu[1]},
                          {&several, &several.gpu[2]},
                          {&other, &other.gpu[0]}});
  EXPECT_THAT(gpu.events, testing::Contains("time a b c"));
}

TEST_F(Measure, TheConfigsOfOneKernelAreAllTimedInFull) {
  RecordingBackend gpu(Target::gpu);
  const Measurement result = measured(gpu);
  EXPECT_THAT(gpu.budgets, SizeIs(1));
  EXPECT_TRUE(result.runs[0].timing->full_budget);
  EXPECT_TRUE(result.runs[1].timing->full_budget);
}

TEST_F(Measure, TheEmulatorHasNoBaselines) {
  RecordingBackend emulator(Target::emulator);
  options_.baselines = {Baseline::fa2};
  EXPECT_THAT(measured(emulator).baselines, IsEmpty());
  EXPECT_THAT(emulator.events, ElementsAre("load 1024", "check a", "check b"));
}

TEST_F(Measure, AHazardFailsARightOutput) {
  RecordingBackend emulator(Target::emulator);
  emulator.observed = Observation{};
  emulator.observed->hazards = {"a read of bytes that nobody wrote"};
  const Measurement result = measured(emulator);
  EXPECT_FALSE(result.runs[0].validation.passed);
  EXPECT_THAT(result.complaints[0], HasSubstr("01_base a: a read of bytes that nobody wrote"));
}

class Jobs : public testing::Test {
 protected:
  std::vector<std::string> configs(const RecordingBackend& backend, int seqlen) {
    problem_.seqlen = seqlen;
    std::vector<std::string> names;
    for (const Job& job : jobs_for(problem_, {&kernel_}, options_, backend, notes_)) {
      names.push_back(job.variant->tile.config);
    }
    return names;
  }

  Kernel kernel_{"07_autotune",
                 "",
                 "",
                 {variant_of("128x64", 128), variant_of("64x64")},
                 {variant_of("128x64", 128), variant_of("64x64")}};
  RecordingBackend gpu_{Target::gpu};
  RecordingBackend emulator_{Target::emulator};
  Options options_;
  Problem problem_;
  std::ostringstream notes_;
};

TEST_F(Jobs, AGpuTakesAllConfigsAndTheEmulatorTheFirst) {
  EXPECT_THAT(configs(gpu_, 256), ElementsAre("128x64", "64x64"));
  EXPECT_THAT(configs(emulator_, 256), ElementsAre("128x64"));
  options_.config = "all";
  EXPECT_THAT(configs(emulator_, 256), ElementsAre("128x64", "64x64"));
  options_.config = "64x64";
  EXPECT_THAT(configs(gpu_, 256), ElementsAre("64x64"));
  EXPECT_EQ(notes_.str(), "");
}

TEST_F(Jobs, ConfigsThatCannotRunAreLeftOutAndSaid) {
  EXPECT_THAT(configs(gpu_, 192), ElementsAre("64x64"));
  EXPECT_THAT(configs(emulator_, 192), ElementsAre("64x64"));
  EXPECT_THAT(notes_.str(), HasSubstr("left out 07_autotune 128x64: seqlen 192"));
  gpu_.refused = "64x64";
  EXPECT_THAT(configs(gpu_, 256), ElementsAre("128x64"));
  EXPECT_THAT(notes_.str(), HasSubstr("too much shared memory"));
}

TEST_F(Jobs, AKernelWithoutAnyIsRefused) {
  EXPECT_THROW(configs(gpu_, 100), UsageError);
  gpu_.refused = "64x64";
  EXPECT_THROW(configs(gpu_, 192), MachineError);
  options_.config = "64x64";
  EXPECT_THROW(configs(gpu_, 256), MachineError);
}

}  // namespace
}  // namespace flash_steps
