// The scripts that make a program on one machine and run it on another, which has a GPU, with stand-ins for both.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>

#include "tests/support/content.h"
#include "tests/support/temporary_folder.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class ForGpu : public InTemporaryFolder {
 protected:
  // The exit code of a script.
  int run(const std::string& script, const std::string& arguments) const {
    const std::string command = "cd '" + folder_.string() + "' && PATH=\"$PWD/programs:$PATH\" '" +
                                FLASH_STEPS_SOURCE_DIR + "/scripts/" + script + ".sh' " + arguments + " >said 2>&1";
    return WEXITSTATUS(std::system(command.c_str()));
  }

  std::string said() const { return content(folder_ / "said"); }

  void program(const std::string& name, const std::string& body) const {
    fs::create_directories((folder_ / name).parent_path());
    written(name, "#!/usr/bin/env bash\n" + body + "\n");
    fs::permissions(folder_ / name, fs::perms::owner_all);
  }
};

TEST_F(ForGpu, RefusesWhatIsNeitherBuildNorRunInAFolder) {
  for (const std::string script : {"measure_pipes", "measure_ceilings", "gpu_mutants", "shares"}) {
    for (const char* arguments : {"", "build", "mend here", "build here more"}) {
      EXPECT_EQ(run(script, arguments), 2) << script << " " << arguments;
      EXPECT_THAT(said(), AllOf(StartsWith(script + ".sh: "), HasSubstr(script + ".sh build DIR")));
    }
    EXPECT_EQ(run(script, "run here --json=x"), 2) << script;
    EXPECT_THAT(said(), HasSubstr(script + ".sh build 'here' makes it"));
  }
}

TEST_F(ForGpu, MakesTheProgramForTheGpusThatAreAskedFor) {
  program("programs/cmake", "echo \"$@\" >>\"$PWD/asked\"");
  program("programs/strip", "touch \"$2\"");
  program("programs/cuobjdump", "true");
  ASSERT_EQ(run("measure_pipes", "build here"), 0) << said();
  EXPECT_THAT(content(folder_ / "asked"), AllOf(HasSubstr("-DFLASH_STEPS_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES=90-real"),
                                                HasSubstr("--target gpu_pipes")));
  EXPECT_TRUE(fs::exists(folder_ / "here" / "gpu_pipes"));
}

TEST_F(ForGpu, ShowsWhatTheCompilerSaidWhereItFails) {
  program("programs/cmake", "echo 'a.cu: error'; [[ $1 == -S ]]");
  EXPECT_EQ(run("measure_pipes", "build here"), 3);
  EXPECT_THAT(said(), HasSubstr("a.cu: error"));
}

TEST_F(ForGpu, RunsTheProgramWithWhatStandsBehindTheFolder) {
  program("here/gpu_pipes", "echo \"$@\"; exit 1");
  EXPECT_EQ(run("measure_pipes", "run here --json=x"), 1);
  EXPECT_EQ(said(), "--json=x\n");
}

}  // namespace
}  // namespace flash_steps
