// scripts/compare_votes.sh, with programs in place of the runner and of ncu: which multiplications fit to which votes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/support/content.h"
#include "tests/support/temporary_folder.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class CompareVotes : public InTemporaryFolder {
 protected:
  void SetUp() override {
    InTemporaryFolder::SetUp();
    program("runner", R"(
      for argument; do case $argument in
        --json=-) echo '{"meta": {"git": "abc"}, "kernels": [{"name": "17_lazy_rescale", "code": "11"}]}' ;;
        --json=*) json=${argument#*=} ;;
        --inputs=*) inputs=${argument#*=} ;;
      esac; done
      case $inputs in normal) won= ;; large) won=', "votes_won": 3' ;; *) won=', "votes_won": 2' ;; esac
      [[ -z $json ]] || echo '{"runs": [{"kernel": "17_lazy_rescale", "config": "a",
                                         "counters": {"vote_instructions": 7'"$won"'}}]}' >"$json")");
    multiplications(1000 + 3 * 4224, 1000 + 2 * 4224);
  }

  void program(const std::string& name, const std::string& body) const {
    written(name, "#!/usr/bin/env bash\n" + body + "\n");
    fs::permissions(folder_ / name, fs::perms::owner_all);
  }

  void multiplications(int with_large, int with_others) const {
    program("ncu", R"(
      while (($#)); do
        case $1 in --log-file) log=$2 ;; --inputs=*) inputs=${1#*=} ;; esac
        shift
      done
      case $inputs in normal) n=1,000 ;; large) n=)" +
                       std::to_string(with_large) + " ;; *) n=" + std::to_string(with_others) + R"( ;; esac
      printf '%s\n' '==PROF== Connected' '"ID","Kernel Name","fmul"' '"","","inst"' "\"0\",\"attention<1, 2>\",\"$n\"" >"$log")");
  }

  int run(const std::string& arguments) const {
    const std::string command = "cd '" + folder_.string() + "' && RUNNER=./runner NCU=./ncu '" +
                                FLASH_STEPS_SOURCE_DIR "/scripts/compare_votes.sh' " + arguments + " >said 2>&1";
    return WEXITSTATUS(std::system(command.c_str()));
  }

  std::string said() const { return content(folder_ / "said"); }
};

TEST_F(CompareVotes, FitWhereEachWonVoteHasTheSameMultiplications) {
  ASSERT_EQ(run("--json=votes.json 17"), 0) << said();
  EXPECT_THAT(said(), HasSubstr("4 runs, 0 that do not fit"));
  const nlohmann::json json = nlohmann::json::parse(content(folder_ / "votes.json"));
  EXPECT_EQ(json.at("code"), nlohmann::json({{"17_lazy_rescale", "11"}}));
  EXPECT_EQ(json.at("votes").at(1).at("votes_won"), 3);
  EXPECT_EQ(json.at("votes").at(1).at("hardware_for_each_won"), 4224);
}

TEST_F(CompareVotes, DoNotFitWhereTheGpuWonOthers) {
  multiplications(1000 + 6 * 4224, 1000 + 2 * 4224);  // twice as many as the emulator, in equal parts all the same
  EXPECT_EQ(run("17"), 1);
  EXPECT_THAT(said(), HasSubstr("4 runs, 1 that do not fit"));
  multiplications(1000, 1000);
  EXPECT_EQ(run("17"), 1) << "the branch was never taken";
}

TEST_F(CompareVotes, RefuseWhatTheyDoNotKnow) {
  EXPECT_EQ(run("--seqlen=512"), 2);
  EXPECT_THAT(said(), HasSubstr("--json is what there is"));
  fs::remove(folder_ / "ncu");
  EXPECT_EQ(run("17"), 3);
  EXPECT_THAT(said(), HasSubstr("there is no './ncu'"));
}

}  // namespace
}  // namespace flash_steps
