// scripts/plot.py: the committed pictures are those of the committed results, and what the newer fields draw.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/process.h"
#include "harness/results/folder.h"
#include "harness/results/results.h"
#include "harness/results/stored_times.h"
#include "harness/results/write.h"
#include "tests/support/content.h"
#include "tests/support/temporary_folder.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// What scripts/setup.sh --plots installs. Another version may place a letter elsewhere.
constexpr const char* drawn_with = "3.11.2";

// Empty if there is none. Asked for once, for that takes as long as some of the pictures.
const std::string& matplotlib_version() {
  static const std::string version = [] {
    const auto result = run_process({"python3", FLASH_STEPS_SOURCE_DIR "/scripts/plot.py", "--version"});
    return result && result->exit_code == 0 ? result->output.substr(0, result->output.find('\n')) : "";
  }();
  return version;
}

class Plots : public InTemporaryFolder {
 protected:
  void SetUp() override {
    if (matplotlib_version().empty()) GTEST_SKIP() << "there is no matplotlib; scripts/setup.sh --plots installs it";
    InTemporaryFolder::SetUp();
  }

  static ProcessResult plot(const std::vector<std::string>& arguments) {
    std::vector<std::string> argv = {"python3", FLASH_STEPS_SOURCE_DIR "/scripts/plot.py"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run_process(argv).value();
  }

  // The picture of the results that has this name, as text; empty if there is none.
  std::string picture(const Results& results, const std::string& name) const {
    write_results(results, folder_ / "card.json");
    EXPECT_EQ(plot({folder_ / "card.json", "--out=" + (folder_ / "img").string()}).exit_code, 0);
    return content(folder_ / "img" / (name + "_card.svg"));
  }
};

// Of a card with 79 GiB: one step, and standard attention up to the length at which it no longer fits.
Results with_memory() {
  Results results;
  results.device.backend = Target::gpu;
  results.device.name = "NVIDIA Card";
  results.device.memory_bytes = int64_t{79} << 30;
  for (const int seqlen : {1024, 2048, 4096, 8192}) {
    flash_steps::Run run;
    run.kernel = "16_static_stride";
    run.config = "128x64";
    run.problem.seqlen = seqlen;
    run.memory = {{.tensor_bytes = 4 * run.problem.bytes()}};
    run.validation.verdict = Verdict::right;
    run.timing = TimingSummary{{1}, 1, 1, 1, 1, 300, {1500}};
    results.runs.push_back(run);
    BaselineRun standard;
    standard.baseline = Baseline::standard;
    standard.problem = run.problem;
    standard.memory = {{4 * run.problem.bytes(), int64_t{2} * seqlen * seqlen}};
    if (seqlen == 8192) standard.unavailable = "out of memory: it does not fit";
    results.baselines.push_back(standard);
  }
  return results;
}

TEST_F(Plots, TheCommittedPicturesAreThoseOfTheCommittedResults) {
  if (matplotlib_version() != drawn_with) {
    GTEST_SKIP() << "the pictures were drawn with matplotlib " << drawn_with << ", and here is "
                 << matplotlib_version();
  }
  std::vector<std::string> arguments;
  for (const char* name :
       {"h100.json", "emulator.json", "traffic.json", "h100_memory.json", "primer/h100.json", "beyond/h100.json"}) {
    arguments.push_back(stored_results() / name);
  }
  for (const auto& entry : fs::directory_iterator(stored_results() / "variants/against_standard")) {
    if (entry.path().filename() != "first_release.json") arguments.push_back(entry.path());
  }
  arguments.push_back("--check=" FLASH_STEPS_SOURCE_DIR "/docs/img");
  const ProcessResult result = plot(arguments);
  EXPECT_EQ(result.exit_code, 0) << "scripts/plot.py with the same files and --out=docs/img would draw them anew";
}

TEST_F(Plots, MemoryShowsWhereStandardAttentionNoLongerFits) {
  EXPECT_THAT(picture(with_memory(), "memory_by_seqlen"),
              AllOf(HasSubstr("standard: out of memory"), HasSubstr("79 GiB"), HasSubstr("16_static_stride")));
}

TEST_F(Plots, WhereEverythingFitsStandardAttentionIsALineLikeTheOthers) {
  Results results = with_memory();
  results.baselines.back().unavailable.reset();
  EXPECT_THAT(picture(results, "memory_by_seqlen"),
              AllOf(HasSubstr("standard, unfused"), Not(HasSubstr("out of memory"))));
}

TEST_F(Plots, TheLadderShowsOtherChaptersBesideTheSixteen) {
  const auto timed = [](const std::string& kernel, double percent) {
    flash_steps::Run run;
    run.kernel = kernel;
    run.config = "64x64";
    run.problem.seqlen = 4096;
    run.validation.verdict = Verdict::right;
    run.timing = TimingSummary{{1}, 1, 1, 1, 1, 300, {1500}};
    run.baselines[Baseline::fa2] = {1, 1, percent, percent, std::nullopt};
    return run;
  };
  Results sixteen, primer;
  sixteen.device.backend = primer.device.backend = Target::gpu;
  sixteen.device.name = primer.device.name = "NVIDIA A40";
  sixteen.runs = {timed("01_base", 17), timed("16_static_stride", 112)};
  primer.runs = {timed("p12_q_registers", 13.4), timed("01_base", 18)};
  write_results(primer, folder_ / "primer.json");
  EXPECT_EQ(picture(sixteen, "ladder"), "") << "one chapter is another picture's";
  EXPECT_EQ(plot({folder_ / "card.json", folder_ / "primer.json", "--out=" + (folder_ / "img").string()}).exit_code, 0);
  EXPECT_THAT(content(folder_ / "img/ladder_card.svg"),
              AllOf(HasSubstr("p12_q_registers"), HasSubstr("16_static_stride"), HasSubstr(">13<"), HasSubstr(">17<"),
                    Not(HasSubstr(">18<"))));
}

// A kernel and PyTorch's standard attention at one length, a pass each: 2 and 3 ms of the one, 5 and 15 of the other.
Results both_passes_of(double dropout, int padding) {
  Results results;
  results.device.backend = Target::gpu;
  results.device.name = "NVIDIA A40";
  for (const Pass pass : {Pass::forward, Pass::backward}) {
    const bool is_forward = pass == Pass::forward;
    flash_steps::Run run;
    run.kernel = is_forward ? "v07_dropout" : "v08_backward";
    run.config = "64x64";
    run.problem = {.batch = 8, .heads = 12, .seqlen = 1024, .head_dim = 64, .dropout = dropout, .pass = pass};
    run.problem.padding = padding;
    run.validation.verdict = Verdict::right;
    run.validation.tensors[is_forward ? Output::lse : Output::dq] = {};
    run.memory = {{.tensor_bytes = is_forward ? 50 : 100}};
    run.timing = TimingSummary{{1}, is_forward ? 2.0 : 3.0, 1, 1, 1, 300, {1500}};
    results.runs.push_back(run);
    BaselineRun pytorch;
    pytorch.baseline = Baseline::pytorch;
    pytorch.problem = run.problem;
    pytorch.memory = {{.tensor_bytes = is_forward ? 70 : 100, .workspace_bytes = is_forward ? 0 : 630}};
    pytorch.timing = TimingSummary{{1}, is_forward ? 5.0 : 15.0, 1, 1, 1, 300, {1500}};
    results.baselines.push_back(pytorch);
  }
  return results;
}

TEST_F(Plots, TheGraphsOfTheFirstReleaseShowWhatWasPublishedBesideWhatWasMeasured) {
  write_results(both_passes_of(0.1, 20), folder_ / "dropout.json");
  write_results(both_passes_of(0, 0), folder_ / "neither.json");
  const ProcessResult drawn =
      plot({folder_ / "dropout.json", folder_ / "neither.json", "--out=" + (folder_ / "img").string()});
  ASSERT_EQ(drawn.exit_code, 0) << drawn.errors;
  EXPECT_THAT(content(folder_ / "img/speedup_over_standard.svg"),
              AllOf(HasSubstr("dropout and padding"), HasSubstr("neither"), HasSubstr(">4.0<"), HasSubstr(">2.2<")));
  EXPECT_THAT(content(folder_ / "img/memory_over_standard.svg"), AllOf(HasSubstr(">7.3<"), HasSubstr(">5.6<")));
}

TEST_F(Plots, AForwardPassAloneIsNoneOfTheGraphsOfTheFirstRelease) {
  Results results = both_passes_of(0, 0);
  results.runs.pop_back();
  write_results(results, folder_ / "neither.json");
  ASSERT_EQ(plot({folder_ / "neither.json", "--out=" + (folder_ / "img").string()}).exit_code, 0);
  EXPECT_FALSE(fs::exists(folder_ / "img/speedup_over_standard.svg"));
}

TEST_F(Plots, WithoutMemoryInTheResultsThereIsNoPictureOfIt) {
  Results results = with_memory();
  for (flash_steps::Run& run : results.runs) run.memory.reset();
  for (BaselineRun& run : results.baselines) run.memory.reset();
  EXPECT_EQ(picture(results, "memory_by_seqlen"), "");
}

TEST_F(Plots, TheCeilingIsALineWhereItWasMeasured) {
  Results results = with_memory();
  EXPECT_THAT(picture(results, "tflops_by_seqlen"), Not(HasSubstr("mma.sync")));
  results.device.mma_ceiling_tflops = 643.6;
  EXPECT_THAT(picture(results, "tflops_by_seqlen"), HasSubstr("mma.sync alone, 644"));
}

}  // namespace
}  // namespace flash_steps
