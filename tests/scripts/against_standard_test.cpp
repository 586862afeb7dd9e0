// scripts/against_standard.sh, with a program in place of the runner: what it asks for, and what it does where no
// kernel covers a series.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "harness/base/process.h"
#include "tests/support/content.h"
#include "tests/support/temporary_folder.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class AgainstStandardScript : public InTemporaryFolder {
 protected:
  // A runner that notes its arguments and ends as `body` says.
  ProcessResult run(const std::string& body, const std::vector<std::string>& arguments) const {
    const fs::path runner = folder_ / "runner";
    std::ofstream(runner) << "#!/usr/bin/env bash\necho \"$*\" >>\"${0%/*}/calls\"\n" << body << "\n";
    chmod(runner.c_str(), 0755);
    std::vector<std::string> argv = {"env", "RUNNER=" + runner.string(),
                                     FLASH_STEPS_SOURCE_DIR "/scripts/against_standard.sh"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run_process(argv).value();
  }

  std::string calls() const { return content(folder_ / "calls"); }
  std::string out() const { return (folder_ / "out").string(); }
};

TEST_F(AgainstStandardScript, EachSeriesIsMeasuredForwardAndBackward) {
  const ProcessResult result = run("exit 0", {out(), "--samples=5"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(
      calls(),
      AllOf(HasSubstr("--pass=forward --batch=8 --heads=12 --head-dim=64 --dtype=fp16 --dropout=0.1 --padding=20 "
                      "--seqlen=128,256,512,1024,2048,4096 --baseline=pytorch,standard --samples=5"),
            HasSubstr("--dropout=0.1 --padding=20 --seqlen=8192,16384 --baseline=standard --samples=5 --json=" + out() +
                      "/dropout_backward_middle.json"),
            HasSubstr("--pass=backward --batch=8 --heads=12 --head-dim=64 --dtype=fp16 "
                      "--seqlen=32768,65536 --samples=5 --json=" +
                      out() + "/neither_backward_long.json")));
}

TEST_F(AgainstStandardScript, ASeriesWithoutAKernelForAPassIsLeftOutWithTheOtherPass) {
  const ProcessResult result =
      run("case \"$*\" in *backward*padding*) echo 'padding is not covered' >&2; exit 2 ;; esac", {out()});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.errors, AllOf(HasSubstr("dropout_backward is left out"), Not(HasSubstr("neither_backward is"))));
  EXPECT_THAT(calls(), AllOf(HasSubstr("neither_forward.json"), Not(HasSubstr("padding_forward.json"))));
}

TEST_F(AgainstStandardScript, TheLengthsOfEitherFileMayBeLeftOut) {
  setenv("SHORT", "", 1);
  run("exit 0", {out()});
  unsetenv("SHORT");
  EXPECT_THAT(calls(), AllOf(HasSubstr("neither_forward_long.json"), Not(HasSubstr("neither_forward.json"))));
}

TEST_F(AgainstStandardScript, AKernelThatIsWrongIsNotForgotten) {
  EXPECT_EQ(run("case \"$*\" in *dropout_forward.json) exit 1 ;; esac", {out()}).exit_code, 1);
}

TEST_F(AgainstStandardScript, WhatLeavesNothingIsRefused) {
  EXPECT_EQ(run("exit 2", {out()}).exit_code, 2);
  EXPECT_EQ(run("exit 0", {}).exit_code, 2);
  EXPECT_EQ(run("exit 0", {"--samples=5"}).exit_code, 2);
  setenv("SERIES", "dropouts", 1);
  EXPECT_EQ(run("exit 0", {out()}).exit_code, 2);
  unsetenv("SERIES");
}

}  // namespace
}  // namespace flash_steps
