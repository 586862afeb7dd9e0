// What --resume goes on with, and what it refuses.
#include "harness/runner/resume.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "harness/base/error.h"
#include "harness/contract/registry.h"
#include "harness/contract/select.h"
#include "harness/results/freshness.h"
#include "harness/results/write.h"
#include "harness/runner/options.h"
#include "tests/support/temporary_folder.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Resume : public InTemporaryFolder {
 protected:
  void SetUp() override {
    InTemporaryFolder::SetUp();
    device_.name = "NVIDIA H100";
    now_.git = "0123abcd";
  }

  fs::path file() const { return folder_ / "sweep.json"; }

  std::vector<std::string> with_file(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "runner");
    arguments.push_back("--json=" + file().string());
    return arguments;
  }

  // Of all kernels at seqlen 512, with the code of today.
  Results interrupted(const std::vector<std::string>& arguments) const {
    Results results;
    results.meta = now_;
    results.meta.argv = with_file(arguments);
    results.device = device_;
    for (const Kernel* kernel : of_chapter(sixteen)) {
      flash_steps::Run run;
      run.kernel = kernel->name;
      run.code = code_hash(*kernel);
      run.problem.seqlen = 512;
      results.runs.push_back(run);
    }
    return results;
  }

  void interrupted_sweep(const std::vector<std::string>& arguments) const {
    write_results(interrupted(arguments), file());
  }

  Results resumed(const std::vector<std::string>& arguments) const {
    std::vector<std::string> all = with_file(arguments);
    all.emplace_back("--resume");
    std::vector<const char*> argv;
    for (const std::string& argument : all) argv.push_back(argument.c_str());
    const Options options = parse_options(static_cast<int>(argv.size()), argv.data());
    return results_to_resume(options, select_kernels(options.kernels, kernels()), Problem{}, now_, device_);
  }

  std::string refusal(const std::vector<std::string>& arguments) const {
    try {
      resumed(arguments);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "accepted";
  }

  DeviceFacts device_;
  Meta now_;
};

TEST_F(Resume, WithoutAFileStartsAtTheBeginning) { EXPECT_THAT(resumed({"--kernel=all"}).runs, IsEmpty()); }

TEST_F(Resume, GoesOnWithOtherLengths) {
  interrupted_sweep({"--kernel=all", "--seqlen=512,1024", "--baseline=fa2"});
  const Results results = resumed({"--kernel=all", "--baseline=fa2", "--seqlen=512,1024,2048"});
  EXPECT_THAT(results.runs, SizeIs(of_chapter(sixteen).size()));
  Problem problem;
  problem.seqlen = 512;
  EXPECT_TRUE(has_problem(results, problem));
  problem.seqlen = 1024;
  EXPECT_FALSE(has_problem(results, problem));
}

TEST_F(Resume, RefusesOtherSettingsAndNamesThem) {
  interrupted_sweep({"--kernel=all", "--baseline=fa2"});
  EXPECT_EQ(refusal({"--kernel=all", "--baseline=fa2"}), "accepted");
  const auto expect_refused = [&](std::vector<std::string> more, const std::string& what) {
    more.emplace_back("--kernel=all");
    more.emplace_back("--baseline=fa2");
    EXPECT_THAT(refusal(more), AllOf(HasSubstr(file().string()), HasSubstr(what + " now"),
                                     HasSubstr("another --json file, would work")));
  };
  expect_refused({"--config=64x64"}, "--config was the default and is 64x64");
  expect_refused({"--samples=3"}, "--samples was 20 and is 3");
  expect_refused({"--min-time=2"}, "--min-time was 0.5 and is 2");
  expect_refused({"--check-only"}, "--check-only was not given and is given");
  expect_refused({"--check-only", "--repeat=9"}, "--repeat was not given and is 9");
  EXPECT_THAT(refusal({"--kernel=01", "--baseline=fa2"}), HasSubstr("is 01_base now"));
  EXPECT_THAT(refusal({"--kernel=all"}), HasSubstr("--baseline was fa2 and is none now"));
}

TEST_F(Resume, RefusesOtherProblemsThanThoseOfTheFile) {
  interrupted_sweep({"--kernel=all"});
  for (const char* other : {"--dtype=bf16", "--batch=2", "--heads=2", "--inputs=large", "--seed=7"}) {
    EXPECT_THAT(refusal({"--kernel=all", other}),
                AllOf(HasSubstr("it holds batch 1, heads 1, seqlen 512, head_dim 128, fp16, normal inputs, seed 1"),
                      HasSubstr("the same but for the lengths")))
        << other;
  }
  EXPECT_EQ(refusal({"--kernel=all", "--dtype=fp16,bf16"}), "accepted") << "what is there is a part of it";
}

TEST_F(Resume, IsNotDeceivedByOtherWordsForTheSame) {
  interrupted_sweep({"--kernel=all"});
  EXPECT_EQ(refusal({"--kernel=01-16", "--batch=1", "--dtype=fp16", "--seed=1"}), "accepted");
}

TEST_F(Resume, DoesNotMixTheCodeOfThenAndNow) {
  Results results = interrupted({"--kernel=all"});
  results.runs[1].code = "0123456789abcdef";
  write_results(results, file());
  EXPECT_THAT(refusal({"--kernel=all"}), HasSubstr("kernels/02_swizzling.cu has changed since it was made"));
}

TEST_F(Resume, RefusesAnotherDeviceAndOtherSources) {
  interrupted_sweep({"--kernel=all"});
  device_.name = "NVIDIA A100";
  EXPECT_THAT(refusal({"--kernel=all"}), HasSubstr("the device was NVIDIA H100 and is NVIDIA A100 now"));
  device_.name = "NVIDIA H100";
  now_.git = "4567cdef";
  EXPECT_THAT(refusal({"--kernel=all"}), HasSubstr("the commit of the sources was 0123abcd and is 4567cdef now"));
}

TEST_F(Resume, RefusesAFileThatIsNoResult) {
  std::ofstream(file()) << "{";
  EXPECT_THAT(refusal({"--kernel=all"}), AllOf(HasSubstr(file().string()), HasSubstr("is not JSON"),
                                               HasSubstr("without --resume it would be replaced")));
}

TEST_F(Resume, RefusesAFileOfACommandLineThatIsNotUnderstood) {
  interrupted_sweep({"--kernel=all", "--colour=red"});
  EXPECT_THAT(refusal({"--kernel=all"}), AllOf(HasSubstr("--colour"), HasSubstr("another --json file would work")));
}

}  // namespace
}  // namespace flash_steps
