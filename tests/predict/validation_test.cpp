// How predictions are held against what was measured; and the cards.
#include "harness/predict/validation.h"

#include <gmock/gmock.h>

#include "harness/base/error.h"

namespace flash_steps {
namespace {

using testing::HasSubstr;

TEST(Validation, ErrorsAreInPointsAndKnowTheirSign) {
  const Errors errors = errors_of(
      {{"a", "", 4096, 100, 102, 90, false}, {"b", "", 4096, 50, 49, 50, false}, {"c", "", 4096, 80, 83, 84, false}});
  EXPECT_EQ(errors.rows, 3);
  EXPECT_DOUBLE_EQ(errors.mean, 2);
  EXPECT_DOUBLE_EQ(errors.most, 3);
  EXPECT_NEAR(errors.bias, 4.0 / 3, 1e-12);
  EXPECT_DOUBLE_EQ(errors.baseline_most, 10);
  EXPECT_DOUBLE_EQ(errors.spearman, 1);
}

TEST(Validation, RanksAreComparedAndNotValues) {
  EXPECT_DOUBLE_EQ(rank_correlation({1, 2, 3, 4}, {10, 100, 1000, 10000}), 1);
  EXPECT_DOUBLE_EQ(rank_correlation({1, 2, 3, 4}, {4, 3, 2, 1}), -1);
  EXPECT_DOUBLE_EQ(rank_correlation({1, 2, 3}, {5, 5, 5}), 0);
  EXPECT_NEAR(rank_correlation({1, 2, 3, 4}, {1, 2, 2, 4}), 0.9487, 1e-4) << "ties share their rank";
}

TEST(Validation, TheCalibratedRowsAreThoseOfTheRule) {
  EXPECT_FALSE(is_calibrated("03_eager_loads", "64x64", "h100", 4096));
  EXPECT_FALSE(is_calibrated("01_base", "64x64", "h200", 4096));
  EXPECT_FALSE(is_calibrated("01_base", "64x64", "h100", 2048));
  EXPECT_TRUE(is_calibrated("01_base", "64x64", "h100", 4096));
  EXPECT_TRUE(is_calibrated("01_base", "64x64", "h100", 512));
  EXPECT_TRUE(is_calibrated("16_static_stride", "64x64_q2k2v2c0", "a100", 4096)) << "the best config, as published";
  EXPECT_FALSE(is_calibrated("16_static_stride", "64x64_q2k2v2c0", "rtx3090", 4096));
  EXPECT_FALSE(is_calibrated("13_reverse_iteration", "128x64_q2k2v2c1", "a100", 4096));
}

TEST(Validation, TheSixteensOwnRunsCountAndNotThoseOfOtherChapters) {
  const Evidence evidence;
  ASSERT_FALSE(evidence.files.empty());
  for (const ResultsFile& file : evidence.files) {
    EXPECT_EQ(file.file.parent_path().filename(), "results") << file.file;
  }
}

TEST(Cards, RegistersAndSharedMemorySayHowManyCtasAnSmHolds) {
  const Card& h100 = *select_cards("h100").front();
  const Card& rtx = *select_cards("rtx3090").front();
  EXPECT_EQ(resident_ctas(h100, 168, 48 << 10, 128), 3) << "by registers";
  EXPECT_EQ(resident_ctas(h100, 255, 64 << 10, 128), 2);
  EXPECT_EQ(resident_ctas(rtx, 168, 48 << 10, 128), 2) << "by shared memory, of which it has 100 KiB";
  EXPECT_EQ(resident_ctas(rtx, 255, 64 << 10, 128), 1);
  EXPECT_EQ(resident_ctas(rtx, 255, 120 << 10, 128), 0);
}

TEST(Cards, OneThatIsNotKnownIsAnErrorThatNamesThoseThatAre) {
  try {
    select_cards("h100,b200");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("b200 is not known"), HasSubstr("a100, rtx3090, h100, h200")));
  }
}

}  // namespace
}  // namespace flash_steps
