// The command line of --predict: what it says, and what it refuses.
#include <gmock/gmock.h>

#include <filesystem>

#include "harness/base/file.h"
#include "harness/base/process.h"
#include "harness/contract/registry.h"
#include "harness/predict/code/compressed.h"
#include "harness/predict/code/stored_code.h"
#include "harness/results/freshness.h"
#include "harness/results/meta.h"
#include "tests/support/all_configs.h"

namespace flash_steps {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

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

TEST(PredictCommand, SaysHowUncertainItIs) {
  EXPECT_THAT(runner({"--kernel=02", "--predict=a100"}).output, HasSubstr("predictions are off by"));
}

TEST(PredictCommand, OfAllConfigsTheFastestComesFirst) {
  NEEDS_ALL_CONFIGS();
  const ProcessResult result = runner({"--kernel=16", "--config=all", "--predict=rtx3090"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  const size_t small = result.output.find("64x64_q0k2v2c0_h16"), big = result.output.find("128x64_q2k2v2c1_h16");
  ASSERT_NE(big, std::string::npos);
  EXPECT_LT(small, big) << "of 128x64 one CTA fits on an SM, of 64x64 two do";
}

TEST(PredictCommand, AtHalfTheClockItTakesTwiceAsLong) {
  const auto tflops = [](const char* clock) {
    const std::string text = runner({"--kernel=02", "--predict=h100", clock, "--json=-"}).output;
    return std::stod(text.substr(text.find("\"tflops\":") + 9));
  };
  EXPECT_NEAR(tflops("--clock=1800") / tflops("--clock=900"), 2, 0.05);
}

TEST(PredictCommand, KnowsOtherProblemsThanTheSixteens) {
  NEEDS_ALL_CONFIGS();
  const auto output = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--predict=h100", "--json=-"});
    return runner(arguments).output;
  };
  EXPECT_THAT(output({"--kernel=v01", "--seqlen=1000"}), HasSubstr("\"seqlen\":1000"));
  EXPECT_THAT(output({"--kernel=v02", "--causal"}), HasSubstr("\"mask\":\"causal\""));
  EXPECT_THAT(output({"--kernel=v03", "--head-dim=64"}), HasSubstr("\"config\":\"d64_128x128\""));
  EXPECT_THAT(output({"--kernel=v04", "--padding=20", "--seqlen=512"}), HasSubstr("\"padding\":20"));
  EXPECT_THAT(output({"--kernel=v05", "--kv-heads=4"}), HasSubstr("\"kv_heads\":4"));
  EXPECT_THAT(output({"--kernel=v07", "--dropout=0.1"}), HasSubstr("\"dropout\":0.1"));
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

TEST(PredictCommand, StandsBesideWhatWasPublishedInTheTable) {
  const ProcessResult result = runner({"--table", "--predictions"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("predicted"));
  EXPECT_THAT(runner({"--table"}).output, Not(HasSubstr("predicted")));
}

TEST(PredictCommand, RefusesWhatCannotBePredicted) {
  NEEDS_ALL_CONFIGS();
  struct Case {
    std::vector<std::string> arguments;
    const char* sentence;
  };
  const Case cases[] = {
      {{"--kernel=02", "--predict=b200"}, "b200 is not known; a100, rtx3090, h100, h200"},
      {{"--kernel=02", "--predict=h100", "--clock=99999"}, "--clock=99999"},
      {{"--kernel=02", "--predict=h100", "--clock=5"}, "out of the range of the H100"},
      {{"--kernel=02", "--predict=h100", "--seqlen=100"}, "seqlen 100 is not a multiple"},
      {{"--kernel=02", "--predict=h100", "--causal"}, "causal"},
      {{"--kernel=02", "--predict=h100", "--head-dim=64"}, "head_dim 64 is not covered"},
      {{"--kernel=02", "--predict=h100", "--dtype=bf16"}, "fp16"},
      {{"--kernel=02", "--predict=h100", "--config=none"}, "no such config"},
      {{"--kernel=02", "--predict=h100", "--without=none"}, "--without=none"},
      {{"--kernel=02", "--predict=h100", "--sass=/nowhere"}, "--sass: cannot read /nowhere"},
      {{"--kernel=p01", "--predict=h100"}, "p01"},
      {{"--kernel=17", "--predict=h100"}, "that of 01_base to 16_static_stride and v01_any_length to"},
      {{"--kernel=v02", "--config=64x64", "--predict=h100"}, "that of 128x64 is, and --sass=built"},
      {{"--kernel=v01", "--predict=h100", "--causal"}, "v02_causal would work"},
      {{"--kernel=v08", "--predict=h100"}, "the pass backward is not predicted"},
      {{"--kernel=v01", "--predict=h100", "--pass=backward"}, "the pass backward is not predicted"},
      {{"--kernel=02", "--clock=1500"}, "--clock=1500"},
      {{"--kernel=01,02", "--predict=h100", "--timeline=-"}, "--timeline shows one config"},
      {{"--predict=h100"}, "no kernel is chosen"}};
  for (const Case& c : cases) {
    const ProcessResult result = runner(c.arguments);
    EXPECT_EQ(result.exit_code, 2) << c.sentence << "\n" << result.errors;
    EXPECT_THAT(result.errors, HasSubstr(c.sentence));
    EXPECT_THAT(result.output, IsEmpty()) << c.sentence;
  }
}

// --- Other machine code --------------------------------------------------------------------------------------------

class OtherCode : public testing::Test {
 protected:
  ~OtherCode() override { std::filesystem::remove(file_); }

  // The stored code of 02 for one architecture, changed.
  void write(const std::string& arch, const std::function<void(StoredFunction&)>& change) {
    const Kernel& kernel = *find_kernel("02_swizzling");
    StoredFunction function = *read_stored_code().find(kernel.name, configs_of(kernel).front(), arch);
    change(function);
    write_stored_code({function}, make_meta({}, {}), file_);
  }

  ProcessResult predict(const char* card) {
    return runner({"--kernel=02", std::string("--predict=") + card, "--sass=" + file_.string()});
  }

  const std::filesystem::path file_ =
      std::filesystem::path(testing::TempDir()) /
      (std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + ".sass.json");
};

TEST_F(OtherCode, IsTakenInsteadOfTheStored) {
  write("sm_80", [](StoredFunction&) {});
  EXPECT_EQ(predict("a100").exit_code, 0);
}

TEST_F(OtherCode, WithoutTheCardsArchitectureIsRefused) {
  write("sm_80", [](StoredFunction&) {});
  const ProcessResult result = predict("h100");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("02_swizzling 64x64 for sm_90 is not among the machine code in"));
}

TEST_F(OtherCode, WithAnInstructionThatIsNotKnownIsRefusedAndTheInstructionNamed) {
  write("sm_90", [](StoredFunction& function) {
    std::vector<EncodedInstruction> code = function.instructions();
    code[10].text = "WGMMA.64x8 R1, R2";
    function.compressed = compressed(text_of(code));
  });
  const ProcessResult result = predict("h100");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.errors, HasSubstr("WGMMA.64x8 R1, R2 is not known to the predictor"));
}

TEST_F(OtherCode, OfAnotherFileThanTodaysIsRefused) {
  write("sm_90", [](StoredFunction& function) { function.code = "0123456789abcdef"; });
  const ProcessResult result = predict("h100");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("another 02_swizzling.cu than today's"));
}

TEST_F(OtherCode, ThatIsDamagedIsRefused) {
  write("sm_90", [](StoredFunction& function) { function.compressed = "12:AAAA"; });
  const ProcessResult result = predict("h100");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.errors, HasSubstr("the stored instructions of 02_swizzling"));
}

}  // namespace
}  // namespace flash_steps
