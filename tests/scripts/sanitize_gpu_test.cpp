// scripts/sanitize_gpu.sh, with programs in place of the runner and of compute-sanitizer: what it runs, and that a
// report does not get lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/content.h"
#include "tests/support/temporary_folder.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class SanitizeGpu : public InTemporaryFolder {
 protected:
  void SetUp() override {
    InTemporaryFolder::SetUp();
    program("runner", R"(
      for argument; do case $argument in --kernel=*) kernel=${argument#*=} ;; esac; done
      case " $* " in
        *" --list "*) echo '{"meta": {"argv": ["runner"], "git": "abc", "dirty": false}, "kernels": [
            {"name": "p01_first", "chapter": "primer", "code": "00"}, {"name": "01_base", "chapter": "all", "code": "11"},
            {"name": "02_swizzling", "chapter": "all", "code": "22"}]}' ;;
        *" --profile "*) echo "launched $kernel 64x64 once: batch 1" ;;
        *" --kernel=02_swizzling "*) [[ " $* " == *" --causal "* ]] && echo "NVIDIA H100: batch 1" ;;
        *) echo "NVIDIA H100: batch 1" ;;
      esac)");
    sanitizer("echo '========= ERROR SUMMARY: 0 errors'");
  }

  void program(const std::string& name, const std::string& body) const {
    std::ofstream(folder_ / name) << "#!/usr/bin/env bash\n" << body << "\n";
    fs::permissions(folder_ / name, fs::perms::owner_all);
  }

  // Runs what it is given, as the real one does, and then says what it found, which depends on $tool and $kernel.
  void sanitizer(const std::string& verdict) const {
    program("compute-sanitizer", R"(
      if [[ $1 == --version ]]; then echo 'NVIDIA (R) Compute Sanitizer'; echo 'Version 2025.3.0'; exit; fi
      tool=$2
      shift 2
      echo "$tool: $*" >>')" + (folder_ / "commands").string() +
                                     R"('
      "$@"
      for argument; do case $argument in --kernel=*) kernel=${argument#*=} ;; esac; done
      )" + verdict);
  }

  int run(const std::string& arguments) {
    const std::string command = "cd '" + folder_.string() +
                                "' && RUNNER=./runner COMPUTE_SANITIZER=./compute-sanitizer '" +
                                FLASH_STEPS_SOURCE_DIR "/scripts/sanitize_gpu.sh' " + arguments + " >out 2>err";
    return WEXITSTATUS(std::system(command.c_str()));
  }
};

TEST_F(SanitizeGpu, RunsEachToolOnEachKernelAndTypeAndWritesWhatItFound) {
  EXPECT_EQ(run("--json=out.json"), 0) << content(folder_ / "err");
  EXPECT_THAT(content(folder_ / "commands"),
              AllOf(HasSubstr("memcheck: ./runner --device=gpu --profile --kernel=01_base --dtype=fp16 --seqlen=384 "
                              "--batch=1 --heads=16\n"),
                    HasSubstr("synccheck: ./runner --device=gpu --profile --kernel=02_swizzling --dtype=bf16")));
  EXPECT_THAT(content(folder_ / "out"), HasSubstr("16 launches, 0 reports"));
  const auto json = nlohmann::json::parse(content(folder_ / "out.json"));
  EXPECT_EQ(json["schema"], "flash-steps/gpu-sanitizers/1");
  EXPECT_EQ(json["device"], "NVIDIA H100");
  EXPECT_EQ(json["sanitizer"], "compute-sanitizer 2025.3.0");
  EXPECT_EQ(json["meta"]["git"], "abc");
  EXPECT_EQ(json["meta"]["argv"], nlohmann::json::parse(R"(["scripts/sanitize_gpu.sh", "--json=out.json"])"));
  EXPECT_EQ(json["code"], nlohmann::json::parse(R"({"01_base": "11", "02_swizzling": "22"})"));
  ASSERT_EQ(json["runs"].size(), 16u);
  EXPECT_EQ(json["runs"][1], nlohmann::json::parse(R"({"kernel": "01_base", "dtype": "fp16", "seqlen": 384,
                                                        "tool": "racecheck", "reports": 0})"));
}

TEST_F(SanitizeGpu, GivesAKernelTheOptionsThatFollowItsName) {
  EXPECT_EQ(run("--tools=memcheck --dtype=fp16 --json=out.json '02_swizzling --causal --kv-heads=4'"), 0)
      << content(folder_ / "err");
  EXPECT_EQ(content(folder_ / "commands"),
            "memcheck: ./runner --device=gpu --profile --kernel=02_swizzling --dtype=fp16 --seqlen=384 --batch=1 "
            "--heads=16 --causal --kv-heads=4\n");
  const auto json = nlohmann::json::parse(content(folder_ / "out.json"));
  EXPECT_EQ(json["runs"][0], nlohmann::json::parse(R"({"kernel": "02_swizzling", "options": "--causal --kv-heads=4",
                                                        "dtype": "fp16", "seqlen": 384, "tool": "memcheck",
                                                        "reports": 0})"));
  EXPECT_EQ(json["code"], nlohmann::json::parse(R"({"02_swizzling": "22"})"));
  EXPECT_EQ(json["device"], "NVIDIA H100");  // which is asked with them as well
}

TEST_F(SanitizeGpu, FailsWithTheLogOfAToolThatReports) {
  sanitizer(R"(
    if [[ $tool$kernel == racecheck02_swizzling ]]; then
      echo '========= Error: Race reported between Write access and Read access'
      echo '========= RACECHECK SUMMARY: 3 hazards displayed (1 error, 2 warnings)'
      exit 1
    fi
    echo '========= ERROR SUMMARY: 0 errors')");
  EXPECT_EQ(run("--dtype=fp16 --json=out.json"), 1);
  EXPECT_THAT(content(folder_ / "out"), HasSubstr("8 launches, 3 reports"));
  EXPECT_THAT(content(folder_ / "err"), HasSubstr("Race reported"));
  EXPECT_EQ(nlohmann::json::parse(content(folder_ / "out.json"))["runs"][5]["reports"], 3);
}

TEST_F(SanitizeGpu, TakesKernelsToolsAndLengths) {
  EXPECT_EQ(run("--tools=initcheck --seqlen=128,256 --dtype=bf16 01_base"), 0) << content(folder_ / "err");
  EXPECT_THAT(content(folder_ / "out"), HasSubstr("2 launches, 0 reports"));
}

TEST_F(SanitizeGpu, ALaunchThatDidNotHappenIsNotClean) {
  program("runner", "echo 'runner: there is no GPU' >&2; exit 3");
  EXPECT_EQ(run("01_base"), 3);
  EXPECT_THAT(content(folder_ / "err"),
              AllOf(HasSubstr("there is no GPU"), HasSubstr("memcheck could not run 01_base")));
  SetUp();
  sanitizer("exit 1");  // died before its summary
  EXPECT_EQ(run("01_base"), 3);
}

TEST_F(SanitizeGpu, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(run("--colour=red"), 2);
  EXPECT_THAT(content(folder_ / "err"), HasSubstr("--tools, --seqlen, --dtype and --json"));
  EXPECT_EQ(run("--json=no_such_folder/x.json"), 2);
  EXPECT_THAT(content(folder_ / "err"), HasSubstr("no_such_folder/x.json"));
  fs::remove(folder_ / "compute-sanitizer");
  EXPECT_EQ(run(""), 3);
  EXPECT_THAT(content(folder_ / "err"), HasSubstr("there is no './compute-sanitizer'"));
}

}  // namespace
}  // namespace flash_steps
