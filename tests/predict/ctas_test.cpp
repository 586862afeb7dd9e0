// The CTAs of a launch: their tiles, and when the last is done.
#include "harness/predict/ctas.h"

#include <gmock/gmock.h>

#include "harness/predict/grid.h"

namespace flash_steps {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::SizeIs;

const TileShape wide_tile{"128x64", 128, 64, 128, 65536};

CtaTiles cta(int tiles, int masked) { return {tiles, masked}; }

Problem causal(int seqlen, int keys = 0) {
  Problem problem;
  problem.seqlen = seqlen;
  problem.seqlen_kv = keys;
  problem.mask = Mask::causal;
  return problem;
}

TEST(Ctas, WithoutAMaskAllAreAlike) {
  Problem problem;
  problem.batch = 2;
  problem.heads = 3;
  problem.seqlen = 1000;
  EXPECT_THAT(ctas_of(problem, wide_tile), SizeIs(2 * 3 * 8));
  EXPECT_THAT(ctas_of(problem, wide_tile), Each(cta(16, 0)))
      << "the last tile is not full, and none but the first has a mask";
}

TEST(Ctas, UnderACausalMaskTheLongestComeFirst) {
  EXPECT_THAT(ctas_of(causal(512), wide_tile), ElementsAre(cta(8, 1), cta(6, 1), cta(4, 1), cta(2, 1)));
}

TEST(Ctas, ATileOfSquaresHasItsMaskInTheFirstAlone) {
  const TileShape square{"128x128", 128, 128, 128, 65536};
  EXPECT_THAT(ctas_of(causal(384), square), ElementsAre(cta(3, 0), cta(2, 0), cta(1, 0)));
}

TEST(Ctas, TheMaskIsAlignedAtTheEnds) {
  EXPECT_THAT(ctas_of(causal(256, 512), wide_tile), ElementsAre(cta(8, 1), cta(6, 1)));
  EXPECT_THAT(ctas_of(causal(256, 128), wide_tile), ElementsAre(cta(2, 1), cta(1, 0)))
      << "of the first rows none sees a key, and they go through one tile all the same";
}

TEST(Ctas, OfAShorterPackedSequenceThoseWithoutRowsAreNotThere) {
  Problem problem;
  problem.batch = 4;
  problem.seqlen = 512;
  problem.padding = 400;
  size_t blocks = 0;
  for (int sequence = 0; sequence < problem.batch; sequence++) blocks += (problem.queries_of(sequence) + 127) / 128;
  EXPECT_THAT(ctas_of(problem, wide_tile), SizeIs(blocks));
  EXPECT_LT(blocks, 16u);
}

// --- How SMs take them ---------------------------------------------------------------------------------------------

TEST(Ctas, ThoseOfOneSmShareItsTime) {
  EXPECT_DOUBLE_EQ(cycles_until_done({10, 10, 10, 10}, 1, {1, 1}), 40);
  EXPECT_DOUBLE_EQ(cycles_until_done({10, 10}, 1, {0.5, 1}), 20) << "both end together";
  EXPECT_DOUBLE_EQ(cycles_until_done({10}, 1, {0.5, 1}), 20) << "alone it does half of what two do";
}

TEST(Ctas, TheNextGoesToTheSmThatIsDoneFirst) {
  EXPECT_DOUBLE_EQ(cycles_until_done({8, 4, 2, 1}, 2, {1}), 8);
  EXPECT_DOUBLE_EQ(cycles_until_done({1, 2, 4, 8}, 2, {1}), 10) << "the longest last";
}

TEST(Ctas, ManyAlikeTakeWhatTheSmWithTheMostTakes) {
  const std::vector<double> work(500, 3.0);
  EXPECT_DOUBLE_EQ(cycles_until_done(work, 100, {1}), 15);
  EXPECT_NEAR(cycles_until_done(work, 100, {0.5, 1}), 12 + 6, 1e-9) << "the fifth is alone on its SM";
}

}  // namespace
}  // namespace flash_steps
