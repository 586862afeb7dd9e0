// The table of how often a kernel rescales.
#include "harness/pages/tables/counts/votes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace flash_steps {
namespace {

using testing::HasSubstr;

Run voted(InputDistribution inputs, uint64_t votes, uint64_t won) {
  Run run;
  run.kernel = "17_lazy_rescale";
  run.config = "a_t8";
  run.problem.inputs = inputs;
  run.problem.seqlen = 1024;
  run.counters = Counters{};
  run.counters->vote_instructions = votes;
  run.counters->votes_won = won;
  return run;
}

TEST(Votes, AreARowForEachRunThatCountedSome) {
  Results results;
  results.runs = {voted(InputDistribution::large, 1200, 900), voted(InputDistribution::normal, 0, 0)};
  const std::string table = render_votes(results);
  EXPECT_THAT(table, HasSubstr("| large | a_t8 | fp16 | 1024 | 1,200 | 900 | 75.0 |\n"));
  EXPECT_THAT(table, testing::Not(HasSubstr("normal")));
}

TEST(Votes, OfRunsWithoutAnyAreRefused) { EXPECT_THROW(render_votes({}), std::runtime_error); }

}  // namespace
}  // namespace flash_steps
