// The shares of a step's two ideas: a row for the step before, for one idea alone, and for the step.
#include "harness/pages/tables/times/shares.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/sweeps.h"

namespace flash_steps {
namespace {

using testing::HasSubstr;

Results shares() {
  std::vector<flash_steps::Run> runs;
  for (const int seqlen : {512, 4096}) {
    runs.push_back(run_of("09_register_moves", {seqlen, 100, 200}));
    runs.push_back(run_of("10_first_softmax", {seqlen, 120, 200}));
    runs.push_back(run_of("10_first_softmax", {seqlen, 110, 200}));
    runs.back().kernel = "v90_peeled_loop";
  }
  return results_of(runs);
}

TEST(Shares, HaveOneIdeaBetweenTheStepBeforeAndTheStep) {
  EXPECT_EQ(render_shares(*find_kernel("10_first_softmax"), "v90_peeled_loop", shares()),
            "| kernel | seqlen 512 | seqlen 4096 |\n| --- | ---: | ---: |\n"
            "| 09_register_moves | 50.0 | 50.0 |\n| v90_peeled_loop | 55.0 | 55.0 |\n"
            "| 10_first_softmax | 60.0 | 60.0 |\n");
}

TEST(Shares, OfWhatWasNotMeasuredAreRefused) {
  try {
    render_shares(*find_kernel("12_block_indexing"), "v92_one_division", shares());
    FAIL() << "accepted";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("11_encoded_swizzle at seqlen 512; scripts/shares.sh makes one"));
  }
}

}  // namespace
}  // namespace flash_steps
