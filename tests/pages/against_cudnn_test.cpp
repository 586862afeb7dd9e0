// The table of a chapter's steps beside cuDNN.
#include "harness/pages/tables/times/against_cudnn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace flash_steps {
namespace {

using testing::HasSubstr;

TEST(AgainstCudnn, ShowsThePairsAndLeavesOutWhatWasNotTimed) {
  const Kernel first("25_a", "a", std::vector<Variant>{}), second("26_b", "b", std::vector<Variant>{});
  flash_steps::Run run;
  run.timing = TimingSummary{};
  run.baselines[Baseline::cudnn].percent = 108;
  run.baselines[Baseline::cudnn].paired_percent = 109.51;
  Sweep sweep;
  sweep.best_runs[{"25_a", 512}] = &run;
  const std::string table = render_against_cudnn({&first, &second}, sweep, {512, 1024});
  EXPECT_THAT(table, HasSubstr("| % of cuDNN, fp16 | 512 | 1024 |\n"));
  EXPECT_THAT(table, HasSubstr("| 25_a | 109.5 | — |\n"));
  EXPECT_THAT(table, HasSubstr("| 26_b | — | — |\n"));
}

TEST(AgainstCudnn, WithoutItsTimesIsRefused) {
  EXPECT_THROW(render_against_cudnn({}, Sweep{}, {512}), std::runtime_error);
}

}  // namespace
}  // namespace flash_steps
