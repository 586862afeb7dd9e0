// The words within a line that are made from results: what they say, and what they refuse.
#include "harness/pages/words.h"

#include <gmock/gmock.h>

#include "harness/base/error.h"
#include "harness/pages/blocks.h"
#include "harness/pages/tables/times/steps.h"
#include "tests/support/sweeps.h"

namespace flash_steps {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// 02 is six times as fast as 01, 03 a little faster than 02, 04 slower than 03.
std::vector<ResultsFile> sweep() {
  std::vector<Run> runs;
  for (const auto& [kernel, tflops] : std::vector<std::pair<std::string, double>>{
           {"01_base", 50}, {"02_swizzling", 300}, {"03_eager_loads", 300.6}, {"04_interleaved_loads", 290}}) {
    for (const Run& run : all_lengths(kernel, tflops, 200)) runs.push_back(run);
  }
  return {{"h100.json", results_of(runs)}};
}

std::string made(const std::string& page, const std::string& words) {
  const std::string closing = "<!-- /" + split(words, ' ').front() + " -->";
  const std::string opening = "<!-- " + words + " -->";
  const std::string text = updated_page(opening + closing, page, read_published(), sweep());
  return text.substr(opening.size(), text.size() - opening.size() - closing.size());
}

std::string refusal(const std::string& page, const std::string& words) {
  try {
    return "it was made: " + made(page, words);
  } catch (const UsageError& error) {
    return error.what();
  }
}

TEST(Words, SayHowAStepDidAgainstTheOneBefore) {
  EXPECT_EQ(made("02_swizzling.md", "verdict 4096"), "125.0 points faster than");
  EXPECT_EQ(made("03_eager_loads.md", "verdict 512"), "level with");
  EXPECT_EQ(made("04_interleaved_loads.md", "verdict"), "5.3 points slower than");
  EXPECT_EQ(made("02_swizzling.md", "times 4096"), "6.0 times as fast");
  EXPECT_EQ(made("02_swizzling.md", "pays 4096"), "pays");
  EXPECT_EQ(made("03_eager_loads.md", "pays 4096"), "neither pays nor costs");
  EXPECT_EQ(made("04_interleaved_loads.md", "pays 4096"), "costs time");
}

TEST(Words, SayWhatBecameOfAPrediction) {
  EXPECT_EQ(made("02_swizzling.md", "prediction faster 512 4096"), "held");
  EXPECT_EQ(made("03_eager_loads.md", "prediction faster 4096"), "failed");
  EXPECT_EQ(made("03_eager_loads.md", "prediction level 4096"), "held");
  EXPECT_EQ(made("04_interleaved_loads.md", "prediction slower 4096"), "held");
}

TEST(Words, GiveFiguresOfAStepAConfigOrTheRun) {
  EXPECT_EQ(made("README.md", "percent 02 4096"), "150.0 %");
  EXPECT_EQ(made("README.md", "percent 02 4096 64x64"), "150.0 %");
  EXPECT_EQ(made("README.md", "tflops 01 512"), "50 TFLOP/s");
  EXPECT_EQ(made("README.md", "tflops fa2 512"), "200 TFLOP/s");
  EXPECT_EQ(made("README.md", "clock"), "1980 MHz");
  EXPECT_EQ(made("README.md", "noise 4096"), "0.5 points");
  EXPECT_EQ(made("README.md", "launches"), "1 minutes");
}

TEST(Words, AddUpTheLaunchesOfAllFiles) {
  std::vector<ResultsFile> files = sweep();
  files.push_back(files.front());
  files.back().file = "h200.json";
  files.back().results.runs.front().timing->samples_ms = {61000};
  const auto updated = [&](const std::string& words) {
    return updated_page("<!-- " + words + " --><!-- /launches -->", "README.md", read_published(), files);
  };
  EXPECT_THAT(updated("launches"), HasSubstr("1 minutes"));
  EXPECT_THAT(updated("launches all"), HasSubstr("2 minutes"));
}

TEST(Words, GiveThePublishedFigures) {
  EXPECT_EQ(made("01_base.md", "published A100"), "15.8 %");
  EXPECT_EQ(made("02_swizzling.md", "published RTX 3090"), "49.5 → 98.3 %");
}

TEST(Words, RefuseWhatIsNotThereWithASentence) {
  EXPECT_THAT(refusal("README.md", "verdict 4096"), HasSubstr("is for the page of a step"));
  EXPECT_THAT(refusal("README.md", "percent 05 4096"), AllOf(HasSubstr("README.md"), HasSubstr("was not timed")));
  EXPECT_THAT(refusal("README.md", "percent 02 4096 128x64"), HasSubstr("was not timed"));
  EXPECT_THAT(refusal("README.md", "percent"), HasSubstr("no step is named"));
  EXPECT_THAT(refusal("README.md", "percent 02 bf16"), HasSubstr("h100_bf16.json"));
  EXPECT_THAT(refusal("README.md", "tflops fa3"), HasSubstr("'fa3'"));
  EXPECT_THAT(refusal("02_swizzling.md", "prediction quicker 4096"), HasSubstr("faster 4096 would"));
  EXPECT_THAT(refusal("02_swizzling.md", "prediction faster"), HasSubstr("faster 4096 would"));
  EXPECT_THAT(refusal("02_swizzling.md", "published H100"), HasSubstr("A100 or RTX 3090"));
  EXPECT_THAT(refusal(kernels().front().page_path().filename(), "verdict 4096"),
              HasSubstr("no step comes before " + kernels().front().name));
}

// 10 and 11 have the same main loop; what they differ by is noise.
TEST(Noise, IsHowFarStepsOfTheSameMainLoopLieApart) {
  std::vector<flash_steps::Run> runs;
  for (const auto& [kernel, tflops] : std::vector<std::pair<std::string, double>>{{"09_register_moves", 200},
                                                                                  {"10_first_softmax", 206},
                                                                                  {"11_encoded_swizzle", 210},
                                                                                  {"12_block_indexing", 213}}) {
    runs.push_back(run_of(kernel, {4096, tflops, 200}));
    runs.back().config = "128x64_q2k2v2c1";
  }
  const std::vector<ResultsFile> files = {{"h100.json", results_of(runs)}};
  const Published published = read_published();
  const std::vector<Sweep> sweeps = sweeps_of(files, published);
  const StoredMachineCode code = read_stored_machine_code();
  EXPECT_NEAR(noise_points(sweeps.at(0), 4096, code), 2, 1e-9);
  const auto outcome = [&](const char* name) {
    const Kernel& step = *find_kernel(name);
    return difference(sweeps.at(0), *step_before(step), step, 4096, code)->outcome();
  };
  EXPECT_EQ(outcome("10_first_softmax"), Outcome::faster);
  EXPECT_EQ(outcome("11_encoded_swizzle"), Outcome::level);
  EXPECT_EQ(outcome("12_block_indexing"), Outcome::level);
  EXPECT_FALSE(
      difference(sweeps.at(0), *find_kernel("09_register_moves"), *find_kernel("10_first_softmax"), 512, code));
}

// 17 and 18 have the same instructions, but 18's shuffles stand behind the vote, which is lost.
TEST(Noise, IsNotTheDifferenceOfLoopsWithAVote) {
  std::vector<flash_steps::Run> runs;
  for (const auto& [kernel, tflops] :
       std::vector<std::pair<std::string, double>>{{"17_lazy_rescale", 200}, {"18_lazy_reduction", 206}}) {
    runs.push_back(run_of(kernel, {4096, tflops, 200}));
    runs.back().config = "128x64_q2k2v1c1_h16_t8";
  }
  const std::vector<ResultsFile> files = {{"h100.json", results_of(runs)}};
  const Published published = read_published();
  const std::vector<Sweep> sweeps = sweeps_of(files, published, of_chapter("beyond"));
  EXPECT_NEAR(noise_points(sweeps.at(0), 4096, read_stored_machine_code()), noise_floor_points, 1e-9);
}

}  // namespace
}  // namespace flash_steps
