// The order of checking and timing, with a machine that only records what it is asked.
#include "harness/measure/measure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "harness/base/error.h"
#include "harness/base/text.h"
#include "harness/contract/coverage.h"
#include "harness/contract/problem.h"
#include "harness/measure/plan.h"
#include "harness/measure/ranking.h"
#include "tests/support/recording_machine.h"

namespace flash_steps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Those of the small problems of tiles of 64 × 64, with both jobs.
const std::vector<std::string> small_problems_of_64 = {"load 192", "check a",  "check b", "load 256",
                                                       "check a",  "check b",  "load 64", "check a",
                                                       "check b",  "load 128", "check a", "check b"};

class Measure : public testing::Test {
 protected:
  Measurement measured(RecordingMachine& machine) {
    Progress progress;
    problem_.seqlen = 1024;
    return Measurer(machine, settings_, progress).measure(problem_, {{&kernel_, &a_}, {&kernel_, &b_}});
  }

  // What happened after both jobs were right at the small problems.
  static std::vector<std::string> events_after_small_problems(const RecordingMachine& machine) {
    const auto count = static_cast<std::ptrdiff_t>(small_problems_of_64.size());
    EXPECT_EQ(std::vector(machine.events.begin(), machine.events.begin() + count), small_problems_of_64);
    return {machine.events.begin() + count, machine.events.end()};
  }

  Kernel kernel_{"01_base", "", {variant_of("a"), variant_of("b")}, {variant_of("a"), variant_of("b")}};
  Variant a_ = variant_of("a");
  Variant b_ = variant_of("b");
  Settings settings_;
  Problem problem_;
};

TEST_F(Measure, AGpuChecksTheSmallProblemsThenTheProblemBeforeAndAfterTiming) {
  RecordingMachine gpu(Target::gpu);
  const Measurement result = measured(gpu);
  EXPECT_THAT(events_after_small_problems(gpu),
              ElementsAre("load 1024", "check a", "check b", "time a b", "check a", "check b"));
  EXPECT_THAT(result.complaints, IsEmpty());
  ASSERT_THAT(result.runs, SizeIs(2));
  EXPECT_EQ(result.runs[0].problem, problem_);
  EXPECT_EQ(result.runs[0].timing->median_ms, 2);
  EXPECT_EQ(result.runs[0].counters, std::nullopt);
}

TEST_F(Measure, TheSmallProblemsHaveSeveralShapesHeadsSequencesAndDistributions) {
  for (const int rows : {64, 128}) {
    std::set<int> parities;
    bool several_heads = false, several_sequences = false;
    std::set<InputDistribution> inputs;
    for (const Problem& problem : small_problems(variant_of("a", rows), {})) {
      const int blocks = problem.seqlen / 64;
      parities.insert(blocks % 2);
      several_heads |= problem.heads > 1;
      several_sequences |= problem.batch > 1 && problem.heads > 1;
      inputs.insert(problem.inputs);
      EXPECT_EQ(refusal(variant_of("a", rows), problem, {}), std::nullopt) << describe(problem);
      EXPECT_LE(problem.flops(), 600e6) << describe(problem) << " takes too long on the emulator";
    }
    EXPECT_TRUE(several_heads && several_sequences);
    EXPECT_THAT(inputs, testing::IsSupersetOf({InputDistribution::large, InputDistribution::negative,
                                               InputDistribution::positive, InputDistribution::onehot}));
    if (rows == 64) {
      EXPECT_THAT(parities, SizeIs(2));
    }
  }
}

TEST_F(Measure, SmallProblemsOfAFixedNumberOfHeadsAreSmallerInAllElse) {
  Variant variant = variant_of("a", 128);
  variant.tile.heads = 16;
  for (const Problem& problem : small_problems(variant, {})) {
    EXPECT_EQ(problem.heads, 16);
    EXPECT_LE(problem.flops(), 600e6) << describe(problem);
  }
}

TEST_F(Measure, RepeatsWhatIsRightAndReportsOutputsThatDiffer) {
  for (const Target target : {Target::gpu, Target::emulator}) {
    RecordingMachine backend(target);
    backend.irreproducible = "b";
    settings_.purpose = Purpose::check;
    settings_.repeats = 250;
    const Measurement result = measured(backend);
    EXPECT_THAT(backend.events, testing::IsSupersetOf({"repeat a 250", "repeat b 250"}));
    EXPECT_EQ(backend.loaded, problem_) << "the repeats are of the problem";
    EXPECT_EQ(result.runs[0].determinism, (Determinism{250, true}));
    EXPECT_EQ(result.runs[1].determinism, (Determinism{250, false}));
    EXPECT_TRUE(result.runs[1].validation.right()) << "each output may be right";
    ASSERT_THAT(result.complaints, SizeIs(1));
    EXPECT_THAT(result.complaints[0], HasSubstr("01_base b is not deterministic at batch 1, heads 1, seqlen 1024"));
    EXPECT_THAT(result.complaints[0], HasSubstr("of 250 outputs 2 differ"));
  }
}

TEST_F(Measure, AWrongKernelIsNotRepeated) {
  RecordingMachine gpu(Target::gpu);
  gpu.is_wrong = [](const Variant& variant) { return variant.tile.config == "a"; };
  settings_.purpose = Purpose::check;
  settings_.repeats = 2;
  const Measurement result = measured(gpu);
  EXPECT_THAT(gpu.events, testing::Not(testing::Contains("repeat a 2")));
  EXPECT_EQ(result.runs[0].determinism, std::nullopt);
  EXPECT_EQ(result.runs[1].determinism, (Determinism{2, true}));
}

TEST_F(Measure, TheEmulatorRunsEachJobOnce) {
  RecordingMachine emulator(Target::emulator);
  emulator.observed.counters.mma_instructions = 7;
  emulator.observed.lines = {{"01_base.cu", 1, "mma_m16n8k16", 7, 0, 0, 0}};
  const Measurement result = measured(emulator);
  EXPECT_THAT(events_after_small_problems(emulator), ElementsAre("load 1024", "check a", "check b"));
  EXPECT_EQ(result.runs[0].counters->mma_instructions, 7u);
  EXPECT_EQ(result.runs[0].timing, std::nullopt);
  EXPECT_THAT(result.runs[0].lines, IsEmpty());
  settings_.purpose = Purpose::explain;
  EXPECT_THAT(measured(emulator).runs[0].lines, SizeIs(1));
}

TEST_F(Measure, CheckOnlyNeitherTimesNorCounts) {
  RecordingMachine gpu(Target::gpu);
  settings_.purpose = Purpose::check;
  const Measurement result = measured(gpu);
  EXPECT_EQ(gpu.events.back(), "check b");
  EXPECT_THAT(gpu.events, testing::Not(testing::Contains(HasSubstr("time"))));
  EXPECT_EQ(result.runs[0].timing, std::nullopt);

  RecordingMachine emulator(Target::emulator);
  EXPECT_EQ(measured(emulator).runs[0].counters, std::nullopt);
}

TEST_F(Measure, CheckOnlyAlsoChecksTheBaselinesAndKeepsTheirErrors) {
  RecordingMachine gpu(Target::gpu);
  settings_.purpose = Purpose::check;
  settings_.baselines = {Baseline::fa2};
  gpu.errors_of_baselines = 0.25;
  const Measurement result = measured(gpu);
  EXPECT_THAT(events_after_small_problems(gpu),
              ElementsAre("load 1024", "check a", "check b", "prepare fa2", "check fa2"));
  ASSERT_THAT(result.baselines, SizeIs(1));
  EXPECT_EQ(result.baselines[0].validation.max_abs_error, 0.25);
  EXPECT_EQ(result.baselines[0].timing, std::nullopt);
  EXPECT_TRUE(result.runs[0].baselines.empty());
}

TEST_F(Measure, AWrongKernelIsNotTimedAndTheOthersGoOn) {
  RecordingMachine gpu(Target::gpu);
  gpu.is_wrong = [](const Variant& variant) { return variant.tile.config == "a"; };
  const Measurement result = measured(gpu);
  EXPECT_THAT(gpu.events, ElementsAre("load 192", "check a", "check b", "load 256", "check b", "load 64", "check b",
                                      "load 128", "check b", "load 1024", "check b", "time b", "check b"));
  EXPECT_FALSE(result.runs[0].validation.right());
  EXPECT_EQ(result.runs[0].timing, std::nullopt);
  EXPECT_TRUE(result.runs[1].validation.right());
  ASSERT_THAT(result.complaints, SizeIs(1));
  EXPECT_THAT(result.complaints[0], HasSubstr("01_base a is wrong at batch 2, heads 3, seqlen 192"));
}

TEST_F(Measure, AKernelThatGoesWrongWhileTimedIsCaught) {
  RecordingMachine gpu(Target::gpu);
  gpu.is_wrong = [&](const Variant& variant) {
    return variant.tile.config == "b" && testing::Matches(testing::Contains(HasSubstr("time")))(gpu.events);
  };
  const Measurement result = measured(gpu);
  EXPECT_TRUE(result.runs[0].validation.right());
  EXPECT_FALSE(result.runs[1].validation.right());
  EXPECT_THAT(result.complaints, SizeIs(1));
}

TEST_F(Measure, SmallShapesAreCheckedOnceForEachVariantThatPasses) {
  RecordingMachine gpu(Target::gpu);
  gpu.is_wrong = [&](const Variant& variant) { return variant.tile.config == "a" && gpu.loaded.seqlen == 192; };
  Progress progress;
  Measurer measurer(gpu, settings_, progress);
  problem_.seqlen = 1024;
  measurer.measure(problem_, {{&kernel_, &a_}, {&kernel_, &b_}});
  gpu.events.clear();
  problem_.seqlen = 2048;
  const Measurement second = measurer.measure(problem_, {{&kernel_, &a_}, {&kernel_, &b_}});
  EXPECT_THAT(gpu.events, ElementsAre("load 192", "check a", "load 2048", "check b", "time b", "check b"));
  EXPECT_FALSE(second.runs[0].validation.right());
}

TEST_F(Measure, EachSmallShapeIsLoadedOnce) {
  RecordingMachine gpu(Target::gpu);
  a_ = variant_of("a", 128);
  Variant c = variant_of("c", 128);
  Progress progress;
  problem_.seqlen = 1024;
  settings_.purpose = Purpose::check;
  Measurer(gpu, settings_, progress).measure(problem_, {{&kernel_, &a_}, {&kernel_, &b_}, {&kernel_, &c}});
  EXPECT_THAT(gpu.events,
              ElementsAre("load 384", "check a", "check c", "load 512", "check a", "check c", "load 128", "check a",
                          "check c", "load 256", "check a", "check c", "load 192", "check b", "load 256", "check b",
                          "load 64", "check b", "load 128", "check b", "load 1024", "check a", "check b", "check c"));
}

TEST_F(Measure, BaselinesAreCheckedAndTimedInTheSameRounds) {
  RecordingMachine gpu(Target::gpu);
  gpu.milliseconds = {{"a", 3}, {"b", 7}, {"fa2", 1}, {"standard", 15}};
  settings_.baselines = {Baseline::standard, Baseline::fa2};
  const Measurement result = measured(gpu);
  EXPECT_THAT(events_after_small_problems(gpu),
              ElementsAre("load 1024", "check a", "check b", "prepare standard", "prepare fa2", "check standard",
                          "check fa2", "time a b standard fa2", "check a", "check b", "check standard", "check fa2"));
  EXPECT_THAT(result.notes, IsEmpty());
  ASSERT_THAT(result.baselines, SizeIs(2));
  EXPECT_EQ(result.baselines[0].baseline, Baseline::standard);
  EXPECT_EQ(result.baselines[0].problem, problem_);
  EXPECT_EQ(result.baselines[0].timing->median_ms, 16);
  EXPECT_EQ(result.baselines[1].implementation, "fa2 1.0");
  EXPECT_TRUE(result.baselines[1].validation.right());
  EXPECT_EQ(result.runs[0].baselines.at(Baseline::fa2).percent, 50);
  EXPECT_EQ(result.runs[0].baselines.at(Baseline::standard).percent, 400);
  EXPECT_EQ(result.runs[1].baselines.at(Baseline::fa2).percent, 25);
  EXPECT_EQ(result.runs[1].baselines.at(Baseline::fa2).median_ms, 2);
}

TEST_F(Measure, TheMemoryIsThatOfTheProblemAndNotOfASmallShape) {
  RecordingMachine gpu(Target::gpu);
  gpu.missing = Baseline::fa2;
  gpu.is_wrong = [&](const Variant& variant) { return variant.tile.config == "a" && gpu.loaded.seqlen == 192; };
  settings_.purpose = Purpose::check;
  settings_.baselines = {Baseline::standard, Baseline::fa2};
  const Measurement result = measured(gpu);
  EXPECT_EQ(result.runs[0].memory, std::nullopt) << "it never came to the problem";
  EXPECT_EQ(result.runs[1].memory, (MemoryUse{.tensor_bytes = 4 * problem_.bytes()}));
  EXPECT_EQ(result.baselines[0].memory, (MemoryUse{.tensor_bytes = 4 * problem_.bytes(), .workspace_bytes = 7}));
  EXPECT_EQ(result.baselines[1].memory, std::nullopt);
}

TEST_F(Measure, ABaselineThatCannotRunKeepsNothingFromRunning) {
  RecordingMachine gpu(Target::gpu);
  gpu.missing = Baseline::fa2;
  settings_.baselines = {Baseline::fa2, Baseline::standard};
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
  RecordingMachine gpu(Target::gpu);
  gpu.wrong = Baseline::fa2;
  settings_.baselines = {Baseline::fa2};
  const Measurement result = measured(gpu);
  EXPECT_THAT(gpu.events, testing::Contains("time a b"));
  ASSERT_THAT(result.complaints, SizeIs(1));
  EXPECT_THAT(result.complaints[0], HasSubstr("fa2 is wrong at"));
  EXPECT_FALSE(result.baselines[0].validation.right());
}

TEST_F(Measure, OfSeveralKernelsAFewSamplesRankTheConfigsAndTheBestAreTimedInFull) {
  RecordingMachine gpu(Target::gpu);
  gpu.samples = {{"a", {9, 10, 11}}, {"b", {4, 5, 5.5}}, {"c", {7, 8, 9}}, {"d", {6, 6.7, 7.4}}, {"fa2", {1, 2, 3}}};
  const Kernel several{"07_autotune", "", {}, {variant_of("a"), variant_of("b"), variant_of("d")}};
  const Kernel other{"02_swizzling", "", {}, {variant_of("c")}};
  settings_.baselines = {Baseline::fa2};
  settings_.budget = {.min_samples = 20, .min_seconds = 0.5};
  problem_.seqlen = 1024;
  Progress progress;
  const Measurement result = Measurer(gpu, settings_, progress)
                                 .measure(problem_, {{&several, &several.gpu()[0]},
                                                     {&several, &several.gpu()[1]},
                                                     {&several, &several.gpu()[2]},
                                                     {&other, &other.gpu()[0]}});
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

// Of four configs those that are timed in full, by their samples.
std::vector<size_t> finalists_of(const std::vector<std::vector<double>>& samples) {
  std::vector<TimingSummary> timings(samples.size());
  std::vector<const TimingSummary*> pointers;
  for (size_t i = 0; i < samples.size(); i++) {
    timings[i].samples_ms = samples[i];
    pointers.push_back(&timings[i]);
  }
  return finalists(pointers);
}

TEST(Finalists, AreTheBestTwoByPairsThoughClocksChange) {
  EXPECT_THAT(finalists_of({{1.2, 2.4, 3.6, 9.6, 10.8}, {1.1, 2.2, 3.3, 8.8, 9.9}, {1, 2, 3, 8, 9}}),
              ElementsAre(1, 2));
}

TEST(Finalists, AreMoreWhereTheSamplesDoNotTellThemApart) {
  EXPECT_THAT(finalists_of({{10, 10, 10}, {10.2, 10.3, 9.9}, {10.1, 10.2, 10}, {12, 12, 12}}), ElementsAre(0, 1, 2));
}

TEST(Finalists, OneThatWasUnluckyIsAmongThem) {
  // The third one's median is the worst by far, but two of its samples are the best of all.
  EXPECT_THAT(finalists_of({{10, 10, 10, 10, 10}, {10, 10, 10, 10, 10}, {9, 9, 13, 13, 13}}), ElementsAre(0, 1, 2));
}

TEST_F(Measure, TheConfigsOfOneKernelAreAllTimedInFull) {
  RecordingMachine gpu(Target::gpu);
  const Measurement result = measured(gpu);
  EXPECT_THAT(gpu.budgets, SizeIs(1));
  EXPECT_TRUE(result.runs[0].timing->full_budget);
  EXPECT_TRUE(result.runs[1].timing->full_budget);
}

TEST_F(Measure, TheEmulatorHasNoBaselines) {
  RecordingMachine emulator(Target::emulator);
  settings_.baselines = {Baseline::fa2};
  EXPECT_THAT(measured(emulator).baselines, IsEmpty());
  EXPECT_THAT(events_after_small_problems(emulator), ElementsAre("load 1024", "check a", "check b"));
}

TEST_F(Measure, ARightOutputWithAHazardHasAVerdictOfItsOwn) {
  RecordingMachine emulator(Target::emulator);
  emulator.observed.hazards = {"a read of bytes that nobody wrote"};
  const Measurement result = measured(emulator);
  EXPECT_EQ(result.runs[0].validation.verdict, Verdict::hazard);
  EXPECT_THAT(result.runs[0].validation.hazards, ElementsAre("a read of bytes that nobody wrote"));
  EXPECT_EQ(result.complaints[0], "01_base a, a read of bytes that nobody wrote");
  emulator.is_wrong = [](const Variant&) { return true; };
  EXPECT_EQ(measured(emulator).runs[0].validation.verdict, Verdict::wrong) << "which says more";
}

TEST_F(Measure, EachRunIsToldAsSoonAsItIsComplete) {
  RecordingMachine emulator(Target::emulator);
  Progress progress;
  std::vector<std::string> told;
  const auto tell = [&](const flash_steps::Run& run) {
    told.push_back(run.config + " after " + std::to_string(emulator.events.size()) + " events");
  };
  Measurer(emulator, settings_, progress, tell).measure(problem_, {{&kernel_, &a_}, {&kernel_, &b_}});
  EXPECT_THAT(told, ElementsAre("a after 14 events", "b after 15 events"));
}

TEST_F(Measure, ABaselineWithoutRoomIsToldFromOneThatIsMissing) {
  RecordingMachine gpu(Target::gpu);
  gpu.missing = Baseline::fa2;
  gpu.too_large = Baseline::standard;
  settings_.baselines = {Baseline::fa2, Baseline::standard};
  const Measurement result = measured(gpu);
  EXPECT_FALSE(result.baselines[0].out_of_memory);
  EXPECT_TRUE(result.baselines[1].out_of_memory);
}

TEST_F(Measure, ABaselineThatRunsOutOfMemoryLaterIsLeftOutAndTheRestAreTimed) {
  RecordingMachine gpu(Target::gpu);
  gpu.too_large_to_check = Baseline::fa2;
  gpu.too_large_to_time = Baseline::cudnn;
  settings_.baselines = {Baseline::fa2, Baseline::cudnn, Baseline::standard};
  const Measurement result = measured(gpu);
  for (const int i : {0, 1}) {
    EXPECT_TRUE(result.baselines[i].out_of_memory);
    EXPECT_FALSE(result.baselines[i].timing);
  }
  EXPECT_EQ(result.baselines[1].unavailable, "there is no room for another launch");
  EXPECT_THAT(result.notes, ElementsAre("there is no room for a check", "there is no room for another launch"));
  EXPECT_TRUE(result.baselines[2].timing);
  for (const flash_steps::Run& run : result.runs) {
    EXPECT_TRUE(run.timing);
    EXPECT_THAT(run.baselines, ElementsAre(testing::Pair(Baseline::standard, testing::_)));
  }
}

}  // namespace
}  // namespace flash_steps
