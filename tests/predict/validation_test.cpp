// How predictions are held against what was measured; the cards; and what the command line refuses.
#include "harness/predict/validation.h"

#include <gmock/gmock.h>

#include "harness/base/error.h"
#include "harness/base/process.h"

namespace flash_steps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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

ProcessResult runner(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), FLASH_STEPS_RUNNER);
  return run_process(arguments).value();
}

TEST(PredictCommand, SaysWhatAStepTakesOnACardThatIsNotThere) {
  const ProcessResult result = runner({"--kernel=02", "--predict=a100", "--json=-"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("\"card\":\"a100\""));
  EXPECT_EQ(runner({"--kernel=02", "--predict=a100"}).output, runner({"--kernel=02", "--predict=a100"}).output);
}

TEST(PredictCommand, WritesATimelineOfWarpsAndPipes) {
  const ProcessResult result = runner({"--kernel=02", "--predict=h100", "--timeline=-"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("traceEvents"), HasSubstr("warp of CTA 2"), HasSubstr("\"tensor\"")));
}

TEST(PredictCommand, ShowsWhereTheWarpsWaitBySourceLine) {
  const ProcessResult result = runner({"--kernel=02", "--explain", "--predict=a100"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("mma"), HasSubstr("operand ports")));
}

TEST(PredictCommand, RefusesWhatCannotBePredicted) {
  struct Case {
    std::vector<std::string> arguments;
    const char* sentence;
  };
  const Case cases[] = {{{"--kernel=02", "--predict=b200"}, "b200 is not known"},
                        {{"--kernel=02", "--predict=h100", "--clock=99999"}, "--clock=99999"},
                        {{"--kernel=02", "--predict=h100", "--clock=5"}, "out of the range of the H100"},
                        {{"--kernel=02", "--predict=h100", "--seqlen=100"}, "seqlen 100 is not a multiple"},
                        {{"--kernel=02", "--predict=h100", "--causal"}, "causal"},
                        {{"--kernel=02", "--predict=h100", "--dtype=bf16"}, "fp16"},
                        {{"--kernel=02", "--predict=h100", "--config=none"}, "no such config"},
                        {{"--kernel=02", "--predict=h100", "--without=none"}, "--without=none"},
                        {{"--kernel=02", "--clock=1500"}, "--clock=1500"},
                        {{"--kernel=01,02", "--predict=h100", "--timeline=-"}, "--timeline shows one config"},
                        {{"--predict=h100"}, "no kernel is chosen"}};
  for (const Case& c : cases) {
    const ProcessResult result = runner(c.arguments);
    EXPECT_EQ(result.exit_code, 2) << c.sentence;
    EXPECT_THAT(result.errors, HasSubstr(c.sentence));
    EXPECT_THAT(result.output, IsEmpty()) << c.sentence;
  }
}

}  // namespace
}  // namespace flash_steps
