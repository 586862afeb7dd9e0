// The two graphs of the first release as tables: both passes added, beside what was published.
#include "harness/pages/tables/times/against_standard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/results/folder.h"

namespace flash_steps {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TimingSummary timing_of(double milliseconds) {
  TimingSummary timing;
  timing.median_ms = milliseconds;
  return timing;
}

flash_steps::Run training_run(const Problem& problem, double milliseconds, bool has_lse, int64_t bytes) {
  flash_steps::Run run;
  run.problem = problem;
  run.timing = timing_of(milliseconds);
  run.memory = {{.tensor_bytes = bytes}};
  if (has_lse) run.validation.tensors[Output::lse] = {};
  return run;
}

// At seqlen 1024, a series: 2 and 3 ms where PyTorch takes 5 and 15.
Results training_results(double dropout, int padding) {
  constexpr int64_t mebibyte = 1 << 20;
  Problem problem{.batch = 8, .heads = 12, .seqlen = 1024, .head_dim = 64, .dropout = dropout};
  problem.padding = padding;
  Results results;
  results.runs = {training_run(problem, 2, true, mebibyte), training_run(problem, 1, false, mebibyte)};
  BaselineRun pytorch;
  pytorch.baseline = Baseline::pytorch;
  pytorch.problem = problem;
  pytorch.timing = timing_of(5);
  pytorch.memory = {{.tensor_bytes = mebibyte}};
  results.baselines = {pytorch};
  problem.pass = Pass::backward;
  results.runs.push_back(training_run(problem, 3, false, 2 * mebibyte));
  pytorch.problem = problem;
  pytorch.timing = timing_of(15);
  pytorch.memory = {{.tensor_bytes = 2 * mebibyte, .workspace_bytes = 9 * mebibyte}};
  results.baselines.push_back(pytorch);
  return results;
}

FirstRelease published() {
  return read_first_release(stored_results() / "variants" / "against_standard" / "first_release.json");
}

TEST(AgainstStandard, BothPassesAreAddedBesideWhatWasPublished) {
  const std::string tables = render_against_standard({training_results(0, 0), training_results(0.1, 20)}, published());
  EXPECT_THAT(tables,
              AllOf(HasSubstr("| 1024 | 4.00 | 4.03 | — | 3.82 | 4.00 | 2.18 |"), HasSubstr("MiB, dropout and padding"),
                    HasSubstr("| 1024 | 11.0 | — | 2.0 | 5.50 | 5.58 |")));
}

TEST(AgainstStandard, AForwardPassThatStoresNoLogarithmsDoesNotCount) {
  Results results = training_results(0, 0);
  results.runs.erase(results.runs.begin());
  EXPECT_THAT(render_against_standard({results}, published()), HasSubstr("Not timed yet"));
}

TEST(AgainstStandard, ABaselineThatDoesNotFitIsShownAsSuch) {
  Results results = training_results(0, 0);
  for (BaselineRun& run : results.baselines) {
    run.timing.reset();
    run.unavailable = "there is no memory for it";
    run.out_of_memory = run.problem.pass == Pass::backward;
  }
  EXPECT_THAT(render_against_standard({results}, published()),
              HasSubstr("| 1024 | out of memory | — | 2.0 | — | 5.58 |"));
}

TEST(AgainstStandard, WithoutABaselineTheMemoryOfTheKernelsIsShownAlone) {
  Results results = training_results(0, 0);
  results.baselines.clear();
  EXPECT_THAT(render_against_standard({results}, published()),
              AllOf(HasSubstr("| 1024 | — | — | 2.0 | — | 5.58 |"), Not(HasSubstr("4.00"))));
}

TEST(AgainstStandard, WhatIsNotThereIsSaidWithTheCommandThatMakesIt) {
  EXPECT_THAT(render_against_standard({}, published()), HasSubstr("scripts/against_standard.sh"));
}

}  // namespace
}  // namespace flash_steps
