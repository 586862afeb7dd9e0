// The runner as a program: exit codes, what it says where, and what it leaves behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "harness/base/error.h"
#include "harness/contract/registry.h"
#include "harness/machine/machine.h"
#include "harness/results/read.h"
#include "harness/results/results.h"
#include "tests/support/all_configs.h"
#include "tests/support/content.h"
#include "tests/support/temporary_folder.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Outcome {
  int exit_code;
  std::string out;
  std::string err;
};

class Runner : public InTemporaryFolder {
 protected:
  void SetUp() override {
    InTemporaryFolder::SetUp();
    fs::create_directories(folder_ / "work");
  }

  // Runs in a folder of its own, which must be empty afterwards unless a test wants a file there.
  Outcome run(const std::string& arguments) {
    const std::string command = "cd '" + (folder_ / "work").string() + "' && '" FLASH_STEPS_RUNNER "' " + arguments +
                                " >../out 2>../err </dev/null";
    const int status = std::system(command.c_str());
    return {WEXITSTATUS(status), content(folder_ / "out"), content(folder_ / "err")};
  }

  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_ / "work")) names.push_back(entry.path().filename());
    return names;
  }

  // One sentence on stderr that names what is wrong and what would work, and nothing else anywhere.
  void expect_refused(int exit_code, const std::string& arguments, const std::string& value,
                      const std::string& what_works) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.exit_code, exit_code) << arguments;
    EXPECT_EQ(outcome.out, "") << arguments;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr(value), HasSubstr(what_works)));
    EXPECT_THAT(files(), IsEmpty()) << arguments;
  }
};

TEST_F(Runner, WithoutArgumentsPrintsHelp) {
  const Outcome outcome = run("");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("--kernel"));
  EXPECT_EQ(outcome.err, "");
}

TEST_F(Runner, ListsKernelsWithSummariesAndConfigs) {
  const Outcome outcome = run("--list");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("01   01_base"), HasSubstr("02   02_swizzling"), HasSubstr("configs: 64x64")));
  EXPECT_EQ(outcome.err, "");
}

TEST_F(Runner, RefusesBadKernels) {
  expect_refused(2, "--kernel=02_swizling", "02_swizling", "the nearest is 02_swizzling");
  expect_refused(2, "--kernel=99", "99", "01_base to ");
  expect_refused(2, "--kernel=0", "no kernel has the number 0", "01_base to ");
  expect_refused(2, "--kernel=3-1", "3-1 runs backwards", "1-3 would work");
  expect_refused(2, "--kernel=01,", "--kernel=", "01_base to ");
}

TEST_F(Runner, RefusesBadShapes) {
  expect_refused(2, "--kernel=01 --seqlen=100", "seqlen 100", "64 and 128 would work");
  expect_refused(2, "--kernel=01 --seqlen=0", "--seqlen=0", "a whole number from 1");
  expect_refused(2, "--kernel=01 --seqlen=-64", "--seqlen=-64", "a whole number from 1");
  expect_refused(2, "--kernel=01 --seqlen=many", "--seqlen=many", "a whole number from 1");
  expect_refused(2, "--kernel=01 --seqlen=99999999999", "--seqlen=99999999999", "to 2147483647");
  expect_refused(2, "--kernel=01 --head-dim=64", "head_dim 64 is not covered", "128 would work");
  expect_refused(2, "--kernel=01 --heads=65536", "--heads=65536", "to 65535");
  expect_refused(2, "--kernel=01 --batch=0", "--batch=0", "from 1");
}

TEST_F(Runner, RefusesWhatNoMemoryHolds) {
  expect_refused(3, "--kernel=01 --device=emulator --batch=65535 --heads=65535 --seqlen=1073741824", "1073741824",
                 "smaller ones would work");
}

TEST_F(Runner, RefusesBadNames) {
  expect_refused(2, "--kernel=01 --dtype=fp8", "--dtype=fp8", "fp16, bf16");
  expect_refused(2, "--kernel=01 --device=tpu", "--device=tpu", "auto, gpu, emulator");
  expect_refused(2, "--kernel=01 --inputs=zeros", "--inputs=zeros", "normal, uniform, large, constant, onehot, tiny");
  expect_refused(2, "--kernel=01 --config=7x7", "--config=7x7", "64x64");
  expect_refused(2, "--kernel=01 --sedd=1", "--sedd", "--seed");
  expect_refused(2, "01_base", "01_base", "--kernel=");
  expect_refused(2, "--kernel", "--kernel", "--help");
}

TEST_F(Runner, RefusesContradictions) {
  NEEDS_ALL_CONFIGS();
  expect_refused(2, "--kernel=01 --diff --explain", "--diff and --explain", "leave one of them out");
  expect_refused(2, "--kernel=01,02 --profile", "--profile launches one kernel", "--kernel=01_base would work");
  expect_refused(2, "--kernel=16 --heads=12 --device=emulator", "12 heads", "--heads=16 or 1 or 32 would work");
}

TEST_F(Runner, RefusesAnUnwritableJsonPathBeforeAnyWork) {
  expect_refused(2, "--kernel=01 --json=no_such_folder/x.json", "no_such_folder/x.json: No such",
                 "a folder that exists");
  expect_refused(2, "--kernel=01 --json=.", "it is a folder", "would work");
}

TEST_F(Runner, WithoutAGpuDeviceGpuCannotBeDoneAndAutoTakesTheEmulator) {
  std::string reason;
  try {
    make_gpu();
    GTEST_SKIP() << "there is a GPU";
  } catch (const MachineError& error) {
    reason = error.what();
  }
  expect_refused(3, "--kernel=01 --device=gpu", reason, "");
  const Outcome outcome = run("--kernel=01 --seqlen=64");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "") << "the emulator is all there is, and the heading names it";
  EXPECT_THAT(outcome.out, testing::StartsWith("emulator: batch 1"));
}

TEST_F(Runner, ChecksAndCountsOnTheEmulator) {
  const Outcome outcome = run("--kernel=01,02 --device=emulator --seqlen=128");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("01_base  64x64  right"), HasSubstr("02_swizzling  64x64  right")));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("34,816"), HasSubstr("30,464"), HasSubstr("38,400")));
}

TEST_F(Runner, NoLineIsWiderThan110Columns) {
  for (const char* arguments :
       {"--list", "--kernel=01 --device=emulator --seqlen=64", "--kernel=01 --device=emulator --seqlen=64 --explain"}) {
    std::istringstream lines(run(arguments).out);
    for (std::string line; std::getline(lines, line);) {
      const auto characters = std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xc0) != 0x80; });
      EXPECT_LE(characters, 110) << line;
    }
  }
}

TEST_F(Runner, WritesResultsThatCanBeReadBack) {
  const Outcome outcome =
      run("--kernel=01,02 --device=emulator --seqlen=64,128 --dtype=bf16 --inputs=uniform --seed=5 --json=out.json");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(files(), ElementsAre("out.json"));
  const Results results = read_results(folder_ / "work" / "out.json");
  ASSERT_EQ(results.runs.size(), 4u);
  EXPECT_EQ(results.device.backend, Target::emulator);
  EXPECT_THAT(results.meta.argv, testing::Contains("--json=out.json"));
  const flash_steps::Run& last = results.runs.back();
  EXPECT_EQ(last.kernel, "02_swizzling");
  EXPECT_EQ(last.problem, (Problem{1, 1, 128, 128, Dtype::bf16, InputDistribution::uniform, 5}));
  EXPECT_TRUE(last.validation.right());
  EXPECT_EQ(last.counters->ldmatrix.bank_conflicts(), 0u);
  EXPECT_EQ(last.memory, (MemoryUse{.tensor_bytes = 4 * last.problem.bytes(), .workspace_bytes = 0}));
  EXPECT_TRUE(last.lines.empty());
}

TEST_F(Runner, RunsEachCombinationOfTypeAndDistributionAndResumesWhatIsMissing) {
  const std::string command =
      "--kernel=01 --device=emulator --check-only --dtype=fp16,bf16 --inputs=all --json=out.json";
  EXPECT_EQ(run(command + " --seqlen=64").exit_code, 0);
  const Outcome resumed = run(command + " --seqlen=64,128 --resume");
  EXPECT_EQ(resumed.exit_code, 0);
  EXPECT_THAT(resumed.err, HasSubstr("seqlen 64, head_dim 128, bf16, positive inputs, seed 1 is in out.json already"));
  const Results results = read_results(folder_ / "work" / "out.json");
  for (Dtype dtype : all_dtypes) {
    for (InputDistribution inputs : all_distributions) {
      for (int seqlen : {64, 128}) {
        const Problem problem{.seqlen = seqlen, .dtype = dtype, .inputs = inputs};
        EXPECT_EQ(std::count_if(results.runs.begin(), results.runs.end(),
                                [&](const flash_steps::Run& done) { return done.problem == problem; }),
                  1)
            << name_of(dtype) << " " << name_of(inputs) << " " << seqlen;
      }
    }
  }
}

TEST_F(Runner, ExplainShowsTheLinesOfTheConflictsAndThatSwizzlingHasNone) {
  const Outcome base = run("--kernel=01 --device=emulator --seqlen=128 --explain");
  EXPECT_EQ(base.exit_code, 0);
  EXPECT_THAT(base.out, AllOf(HasSubstr("ldmatrix_x4"), HasSubstr("8x CONFLICTS"), HasSubstr("32,256 wavefronts")));
  const Outcome swizzled = run("--kernel=02 --device=emulator --seqlen=128 --explain");
  EXPECT_THAT(swizzled.out, AllOf(HasSubstr("No line has bank conflicts."), Not(HasSubstr("CONFLICTS"))));
}

TEST_F(Runner, ExplainEndsWithTheBound) {
  const Outcome outcome = run("--kernel=01 --device=emulator --seqlen=64 --explain");
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("The bound: cycles that each pipe"),
                                 HasSubstr("ldmatrix 8,192, cp.async 256"), HasSubstr("percent of FA2")));
}

TEST_F(Runner, ExplainWritesLines) {
  const Outcome outcome = run("--kernel=01 --seqlen=64 --explain --json=out.json");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_FALSE(read_results(folder_ / "work" / "out.json").runs[0].lines.empty());
}

TEST_F(Runner, DiffShowsWhatAStepChanged) {
  const Outcome outcome = run("--kernel=02 --diff");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("--- 01_base.cu"), HasSubstr("+++ 02_swizzling.cu"), HasSubstr("@@")));
  EXPECT_THAT(outcome.out, Not(HasSubstr("\033[")));  // no colours outside of a terminal
}

TEST_F(Runner, TheFirstStepHasNoDiff) {
  const Kernel& first = kernels().front();
  const Outcome outcome = run("--kernel=" + first.name + " --diff");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, HasSubstr(first.name + " is the first step"));
}

TEST_F(Runner, ProfileLaunchesOnce) {
  const Outcome outcome = run("--kernel=01 --device=emulator --seqlen=64 --profile");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("launched 01_base 64x64 once"));
}

}  // namespace
}  // namespace flash_steps
