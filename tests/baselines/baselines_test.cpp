// Baselines where they cannot run: the plugin that is not there, and the times that are stored.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "harness/base/error.h"
#include "harness/baselines/torch_baseline.h"
#include "harness/results/stored_times.h"
#include "harness/results/write.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

std::string refusal(const std::vector<fs::path>& files) {
  try {
    const TorchPlugin plugin(files);
  } catch (const MachineError& error) {
    return error.what();
  }
  return "accepted";
}

fs::path test_folder() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const fs::path folder = fs::path(testing::TempDir()) / (std::string("flash_steps_baselines_") + test->name());
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

TEST(TorchPlugin, ThatIsNotThereIsOneSentenceThatSaysHowToGetIt) {
  const std::string sentence = refusal({"/nowhere/plugin.so", "/nowhere/else.so"});
  EXPECT_THAT(sentence, AllOf(HasSubstr("/nowhere/plugin.so is not there"), HasSubstr("scripts/build_torch_plugin.sh"),
                              HasSubstr("FLASH_STEPS_TORCH_PLUGIN=FILE"), Not(HasSubstr("\n"))));
}

TEST(TorchPlugin, ThatIsNoLibraryIsRefused) {
  const fs::path file = test_folder() / "plugin.so";
  std::ofstream(file) << "no library";
  EXPECT_THAT(refusal({"/nowhere.so", file}),
              AllOf(HasSubstr(file.string() + " cannot be loaded"), HasSubstr("scripts/build_torch_plugin.sh")));
}

TEST(TorchPlugin, IsLookedForWhereTheVariableSaysAndOnlyThere) {
  setenv("FLASH_STEPS_TORCH_PLUGIN", "/some/plugin.so", 1);
  EXPECT_THAT(TorchPlugin::places(), ElementsAre("/some/plugin.so"));
  unsetenv("FLASH_STEPS_TORCH_PLUGIN");
  const std::vector<fs::path> places = TorchPlugin::places();
  ASSERT_THAT(places, SizeIs(2));
  EXPECT_EQ(places[0].parent_path(), fs::read_symlink("/proc/self/exe").parent_path());
  EXPECT_EQ(places[1], fs::path(FLASH_STEPS_SOURCE_DIR) / "build" / "libflash_steps_torch.so");
}

class StoredBaselines : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = test_folder();
    device_.backend = Target::gpu;
    device_.name = "NVIDIA H100";
    problem_ = {.batch = 16, .heads = 16, .seqlen = 4096};
    run_.kernel = "01_base";
    run_.problem = problem_;
    run_.timing = timing(10);
    missing_.baseline = Baseline::fa2;
    missing_.problem = problem_;
    missing_.unavailable = "there is no plugin";
  }
  void TearDown() override { fs::remove_all(folder_); }

  static TimingSummary timing(double milliseconds) {
    TimingSummary timing;
    timing.samples_ms = {milliseconds};
    timing.median_ms = milliseconds;
    return timing;
  }

  // A results file with one time of fa2.
  void store(const std::string& name, const std::string& date, double milliseconds, const Problem& problem,
             const std::string& device) const {
    Results results;
    results.meta.date = date;
    results.device = device_;
    results.device.name = device;
    BaselineRun fa2;
    fa2.baseline = Baseline::fa2;
    fa2.problem = problem;
    fa2.timing = timing(milliseconds);
    results.baselines = {fa2};
    write_results(results, folder_ / name);
  }

  std::map<Baseline, Comparison> compared() const {
    std::vector<flash_steps::Run> runs = {run_};
    compare_with_stored(runs, {missing_}, device_, folder_);
    return runs.front().baselines;
  }

  fs::path folder_;
  DeviceFacts device_;
  Problem problem_;
  flash_steps::Run run_;
  BaselineRun missing_;
};

TEST_F(StoredBaselines, TheNewestTimeOfTheSameGpuAndProblemCounts) {
  store("old.json", "2025-01-01T00:00:00Z", 2, problem_, "NVIDIA H100");
  store("new.json", "2025-02-01T00:00:00Z", 5, problem_, "NVIDIA H100");
  store("other.json", "2025-03-01T00:00:00Z", 7, problem_, "NVIDIA A100");
  std::ofstream(folder_ / "broken.json") << "{";
  const Comparison comparison = compared().at(Baseline::fa2);
  EXPECT_EQ(comparison.percent, 50);
  EXPECT_EQ(comparison.median_ms, 5);
  EXPECT_EQ(comparison.paired_percent, std::nullopt);
  EXPECT_EQ(comparison.stored_in, "new.json");
}

TEST_F(StoredBaselines, AnotherShapeTypeOrDistributionDoesNotCountButAnotherSeedDoes) {
  Problem other = problem_;
  other.seqlen = 8192;
  store("a.json", "2025-01-01T00:00:00Z", 2, other, "NVIDIA H100");
  other = problem_;
  other.dtype = Dtype::bf16;
  store("b.json", "2025-01-01T00:00:00Z", 2, other, "NVIDIA H100");
  other = problem_;
  other.inputs = InputDistribution::constant;
  store("c.json", "2025-01-01T00:00:00Z", 2, other, "NVIDIA H100");
  EXPECT_TRUE(compared().empty());
  other = problem_;
  other.seed = 99;
  store("d.json", "2025-01-01T00:00:00Z", 2, other, "NVIDIA H100");
  EXPECT_EQ(compared().at(Baseline::fa2).stored_in, "d.json");
}

TEST_F(StoredBaselines, WhatWasMeasuredIsNotReplaced) {
  store("a.json", "2025-01-01T00:00:00Z", 2, problem_, "NVIDIA H100");
  missing_.unavailable = std::nullopt;
  EXPECT_TRUE(compared().empty());
}

TEST(Baselines, WhatEachIsNotRunOnIsSaid) {
  const auto refused = [](Baseline baseline, const Problem& problem) {
    return flash_steps::refusal(baseline, problem).value_or("");
  };
  EXPECT_THAT(refused(Baseline::cudnn, {.seqlen_kv = 100, .mask = Mask::causal}), HasSubstr("as many keys as queries"));
  EXPECT_THAT(refused(Baseline::cudnn, {.dropout = 0.1}), HasSubstr("a dropout mask of its own"));
  EXPECT_THAT(refused(Baseline::cudnn, {.padding = 20}), HasSubstr("without padding alone"));
  EXPECT_EQ(refused(Baseline::fa2, {.dropout = 0.1, .pass = Pass::backward, .padding = 20}), "");
  EXPECT_THAT(refused(Baseline::pytorch, {.seqlen_kv = 100, .mask = Mask::causal}), HasSubstr("attends to no key"));
  EXPECT_THAT(refused(Baseline::pytorch, {.batch = 9, .seqlen = 2, .padding = 2}), HasSubstr("less --padding"));
  EXPECT_THAT(refused(Baseline::standard, {.batch = 9, .seqlen = 2, .padding = 2}), HasSubstr("less --padding"));
  for (const Baseline baseline : all_baselines) {
    EXPECT_THAT(refused(baseline, {.pass = Pass::both}), HasSubstr("--pass=backward would work")) << name_of(baseline);
  }
}

TEST(Baselines, AProblemThatOneIsNotRunOnIsOneOfAnother) {
  for (const Pass pass : {Pass::forward, Pass::backward}) {
    for (const Problem& problem : {Problem{.head_dim = 64, .mask = Mask::causal, .pass = pass},
                                   Problem{.heads = 4, .seqlen_kv = 300, .kv_heads = 2, .pass = pass}}) {
      for (const Baseline baseline : all_baselines) EXPECT_EQ(flash_steps::refusal(baseline, problem), std::nullopt);
    }
    const Problem padded{.batch = 8, .dropout = 0.1, .mask = Mask::causal, .pass = pass, .padding = 20};
    for (const Baseline baseline : {Baseline::standard, Baseline::pytorch}) {
      EXPECT_EQ(flash_steps::refusal(baseline, padded), std::nullopt) << name_of(baseline);
    }
  }
  EXPECT_EQ(flash_steps::refusal(Baseline::fa2, {.dropout = 0.1, .pass = Pass::backward}), std::nullopt);
  EXPECT_EQ(flash_steps::refusal(Baseline::fa2, {.dropout = 0.1, .padding = 20}), std::nullopt);
  EXPECT_EQ(flash_steps::refusal(Baseline::standard, {.seqlen_kv = 100, .mask = Mask::causal}), std::nullopt);
}

TEST_F(StoredBaselines, NoFolderIsNoError) {
  fs::remove_all(folder_);
  EXPECT_TRUE(compared().empty());
}

}  // namespace
}  // namespace flash_steps
