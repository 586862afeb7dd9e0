// Statistics of samples, and what is told about a run.
#include "harness/base/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "harness/results/compare.h"
#include "harness/results/meta.h"
#include "harness/results/results.h"
#include "tests/support/results_fixture.h"

namespace flash_steps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Meta, TellsWhenAndHow) {
  DeviceFacts device;
  const Meta meta = make_meta({"runner", "--list"}, device);
  EXPECT_THAT(meta.argv, ElementsAre("runner", "--list"));
  EXPECT_THAT(meta.date, testing::MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"));
  EXPECT_FALSE(meta.compiler.empty());
  EXPECT_EQ(meta.driver, std::nullopt);
  EXPECT_EQ(meta.git.has_value(), meta.dirty.has_value());
  if (meta.git) {
    EXPECT_EQ(meta.git->size(), 40u);
  }
}

TEST(Statistics, PercentilesLieBetweenSamples) {
  const Statistics statistics = statistics_of({5, 1, 4, 2, 3, 6});
  EXPECT_EQ(statistics.median, 3.5);
  EXPECT_EQ(statistics.p20, 2);
  EXPECT_EQ(statistics.p80, 5);
  EXPECT_EQ(statistics.min, 1);
  EXPECT_EQ(statistics_of({7}).median, 7);
  EXPECT_EQ(statistics_of({7}).p80, 7);
}

TEST(Statistics, AKernelIsComparedByMediansAndByRounds) {
  TimingSummary kernel;
  kernel.samples_ms = {2, 4, 6};
  kernel.median_ms = 4;
  TimingSummary baseline;
  baseline.samples_ms = {1, 3, 9};  // 50 %, 75 % and 150 % of the rounds
  baseline.median_ms = 3.5;
  baseline.tflops = 7;
  const Comparison comparison = compare_with(baseline, kernel);
  EXPECT_EQ(comparison, (Comparison{3.5, 7, 87.5, 75, std::nullopt}));
}

TEST(Results, TheBestRunOfAKernelOnAProblemIsTheFastestThatWasTimedInFull) {
  std::vector<flash_steps::Run> runs(5, gpu_run());
  for (flash_steps::Run& run : runs) {
    run.timing->full_budget = true;
    run.baselines.clear();
  }
  runs[1].timing->median_ms = 1;
  runs[2].timing->median_ms = 0.5;
  runs[2].timing->full_budget = false;
  runs[3].problem.seqlen = 512;
  runs[4].kernel = "03";
  EXPECT_THAT(best_runs(runs), ElementsAre(&runs[1], &runs[3], &runs[4]));
  for (flash_steps::Run& run : runs) run.baselines[Baseline::fa2].paired_percent = 100;
  runs[0].baselines[Baseline::fa2].paired_percent = 101;  // in pairs with FlashAttention-2 it is the faster one
  EXPECT_THAT(best_runs(runs), ElementsAre(&runs[0], &runs[3], &runs[4]));
}

TEST(Statistics, TflopsFollowFromTheMedian) {
  Problem problem;
  problem.batch = 16;
  problem.heads = 16;
  problem.seqlen = 4096;
  Timing timing;
  timing.samples_ms = {2, 4, 3};
  // 4 · 16 · 16 · 4096² · 128 operations in 3 ms
  EXPECT_NEAR(summarize(timing, problem).tflops, 2.199023255552e12 / 3e-3 / 1e12, 1e-9);
}

}  // namespace
}  // namespace flash_steps
