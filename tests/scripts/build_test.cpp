// scripts/build.sh in a copy of the project, with programs in place of CMake and of nvcc: what it configures, what it
// builds, and when it leaves a build as it is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "harness/base/text.h"
#include "tests/support/content.h"
#include "tests/support/temporary_folder.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Stands for CMake: writes down what it is told, and makes what it is told to.
constexpr const char* cmake = R"bash(
    project=$(dirname "$(dirname "$(readlink -f "$0")")")
    echo "CXX=${CXX:-} CUDACXX=${CUDACXX:-} cmake $*" >>"$project/told"
    if [[ $1 == -S ]]; then
      [[ -f $4/CMakeCache.txt ]] || echo "FLASH_STEPS_CUDA:STRING=OFF" >"$4/CMakeCache.txt"
      exit
    fi
    build=$2
    shift 3
    mkdir -p "$build/kernels"
    for target; do
      case $target in
        --*) exit ${failing:-0} ;;
        kernel_*)
          if [[ $target == "${broken:-}" ]]; then
            echo "FAILED: harness/emulator/CMakeFiles/$target.dir/x.o"
            failing=1
          else
            touch "$build/kernels/${target#kernel_}.so"
          fi ;;
        *) touch "$build/$target"; chmod +x "$build/$target" ;;
      esac
    done)bash";

class Build : public InTemporaryFolder {
 protected:
  void SetUp() override {
    InTemporaryFolder::SetUp();
    make_project(folder_ / "project");
  }

  void make_project(const fs::path& project) {
    project_ = project;
    for (const char* folder : {"scripts/cmake", "harness", "kernels", "programs"}) {
      fs::create_directories(project_ / folder);
    }
    for (const char* file : {"scripts/build.sh", "scripts/setup.sh", "CMakeLists.txt"}) {
      fs::copy_file(fs::path(FLASH_STEPS_SOURCE_DIR) / file, project_ / file);
    }
    program("programs/cmake", cmake);
    program("programs/ninja", "");
  }

  void program(const fs::path& name, const std::string& body) const {
    fs::create_directories((project_ / name).parent_path());
    std::ofstream(project_ / name) << "#!/usr/bin/env bash\n" << body << "\n";
    fs::permissions(project_ / name, fs::perms::owner_all);
  }

  // The exit code; what it said is in said_, and what CMake was told in told_.
  int build(const std::string& targets, const std::string& environment = "") {
    fs::remove(project_ / "told");
    const std::string command = "cd / && PATH=\"" + (project_ / "programs").string() + ":$PATH\" " + environment +
                                " \"" + (project_ / "scripts/build.sh").string() + "\" " + targets + " >\"" +
                                (folder_ / "said").string() + "\" 2>&1";
    const int code = WEXITSTATUS(std::system(command.c_str()));
    said_ = content(folder_ / "said");
    told_ = fs::exists(project_ / "told") ? content(project_ / "told") : "";
    return code;
  }

  // An editor's save, later than all that was made before.
  void edit(const fs::path& file) const {
    std::ofstream(project_ / file) << "// edited\n";
    fs::last_write_time(project_ / file, fs::file_time_type::clock::now() + std::chrono::seconds(2));
  }

  fs::path project_;
  std::string said_, told_;
};

TEST_F(Build, BuildsWhatIsNamedAndNothingWhenNothingHasChanged) {
  EXPECT_EQ(build("runner"), 0) << said_;
  EXPECT_THAT(told_, AllOf(HasSubstr("-DFLASH_STEPS_UNITY=ON"), HasSubstr("--target runner --parallel")));
  EXPECT_EQ(build("runner"), 0);
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_EQ(build("kernel_02_x kernel_03_y"), 0);
  EXPECT_THAT(told_, AllOf(HasSubstr("--target kernel_02_x kernel_03_y"), Not(HasSubstr("FLASH_STEPS_UNITY"))));
  EXPECT_EQ(build("kernel_02_x"), 0);
  EXPECT_THAT(told_, IsEmpty());
  edit("kernels/02_x.cu");
  EXPECT_EQ(build("kernel_02_x"), 0);
  EXPECT_THAT(told_, HasSubstr("--target kernel_02_x"));
  fs::remove(project_ / "build/kernels/03_y.so");
  EXPECT_EQ(build("kernel_03_y"), 0);
  EXPECT_THAT(told_, HasSubstr("--target kernel_03_y"));
}

TEST_F(Build, AKernelThatDoesNotCompileIsLeftOutWhereItIsOnlyTried) {
  EXPECT_EQ(build("kernel_05_x kernel_06_y"), 0) << said_;
  edit("kernels/05_x.cu");
  EXPECT_EQ(build("--try kernel_05_x kernel_06_y", "broken=kernel_05_x"), 0);
  EXPECT_THAT(said_, HasSubstr("build.sh: kernel_05_x does not compile, and is left out"));
  EXPECT_FALSE(fs::exists(project_ / "build/kernels/05_x.so"));
  EXPECT_TRUE(fs::exists(project_ / "build/kernels/06_y.so"));
  EXPECT_EQ(build("kernel_06_y", "broken=kernel_05_x"), 0);
  EXPECT_EQ(build("kernel_05_x", "broken=kernel_05_x"), 3);
  EXPECT_THAT(said_, AllOf(HasSubstr("FAILED"), HasSubstr("The build failed")));
}

TEST_F(Build, AnotherNvccIsNothingToABuildWithoutAGpu) {
  program("one/nvcc", "");
  program("other/nvcc", "");
  const auto with = [&](const char* nvcc) { return "CUDACXX=\"" + (project_ / nvcc).string() + "\""; };
  ASSERT_EQ(build("runner", with("one/nvcc")), 0) << said_;
  if (told_.find("FLASH_STEPS_CUDA=OFF") == std::string::npos) GTEST_SKIP() << "this machine has a GPU";
  EXPECT_EQ(build("runner", with("other/nvcc")), 0);
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(Build, ABuildForTheGpuKeepsItsCompilerAndSaysWhenItIsGone) {
  program("one/nvcc", "");
  const std::string nvcc = (project_ / "one/nvcc").string();
  ASSERT_EQ(build("all", "CUDACXX=\"" + nvcc + "\""), 0) << said_;
  EXPECT_THAT(told_, AllOf(HasSubstr("FLASH_STEPS_CUDA=AUTO"), HasSubstr("CUDACXX=" + nvcc)));
  program("programs/nvcc", "");  // another PATH
  ASSERT_EQ(build("runner"), 0);
  EXPECT_THAT(told_, AllOf(HasSubstr("CUDACXX=" + nvcc), Not(HasSubstr("--fresh"))));
  fs::remove(nvcc);
  ASSERT_EQ(build("runner"), 0);
  EXPECT_THAT(told_, AllOf(HasSubstr("CUDACXX=" + (project_ / "programs/nvcc").string()), HasSubstr("--fresh")));
  fs::remove(project_ / "programs/nvcc");
  ASSERT_EQ(build("runner"), 0);
  const bool has_own = std::system("command -v nvcc /usr/local/cuda/bin/nvcc >/dev/null") == 0;
  if (!has_own) {
    EXPECT_THAT(said_, HasSubstr("/programs/nvcc is gone, and there is no other"));
  }
}

TEST_F(Build, AnotherCompilerIsTakenWithItsLauncherAndWhatWasChosenStays) {
  program("programs/launcher", "");
  const fs::path cache = project_ / "build/CMakeCache.txt";
  fs::create_directories(cache.parent_path());
  std::ofstream(cache) << "FLASH_STEPS_WERROR:BOOL=ON\nFLASH_STEPS_CUDA:STRING=OFF\n"
                          "CMAKE_CUDA_ARCHITECTURES:UNINITIALIZED=80-real;90\nCMAKE_AR:FILEPATH=/usr/bin/ar\n";
  ASSERT_EQ(build("runner"), 0) << said_;
  EXPECT_THAT(told_, Not(HasSubstr("--fresh")));
  ASSERT_EQ(build("runner", "CXX=\"launcher g++ -g0\""), 0) << said_;
  EXPECT_THAT(told_,
              AllOf(HasSubstr("CXX=launcher g++ -g0 "), HasSubstr("--fresh"), HasSubstr("-DFLASH_STEPS_WERROR:BOOL=ON"),
                    Not(HasSubstr("CMAKE_AR")), HasSubstr("-DCMAKE_CUDA_ARCHITECTURES:UNINITIALIZED=80-real;90")));
  ASSERT_EQ(build("runner"), 0);
  EXPECT_THAT(told_, IsEmpty());  // it is remembered
}

TEST_F(Build, ACompilerThatIsNotThereIsRefusedAndNotInstalled) {
  program("programs/apt-get", "touch \"$(dirname \"$0\")/installed\"");
  EXPECT_EQ(build("runner", "CXX=nonsense"), 3);
  EXPECT_THAT(said_, HasSubstr("CXX=nonsense: there is no command nonsense; CXX=g++"));
  EXPECT_FALSE(fs::exists(project_ / "programs/installed"));
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(Build, WhereNothingCanBeWrittenItSaysSo) {
  std::ofstream(project_ / "build") << "a file where the folder should be: even root cannot write into it";
  EXPECT_EQ(build("runner"), 3);
  EXPECT_THAT(said_, AllOf(HasSubstr("build.sh: " + project_.string() + "/build cannot be written; a copy"),
                           Not(HasSubstr("mkdir"))));
}

TEST_F(Build, InAFolderWithAnApostropheItIsBuiltByMake) {
  make_project(folder_ / "it's here");
  EXPECT_EQ(build("runner"), 0) << said_;
  EXPECT_THAT(told_, HasSubstr("-G Unix Makefiles"));
  make_project(folder_ / "here");
  EXPECT_EQ(build("runner"), 0) << said_;
  EXPECT_THAT(told_, HasSubstr("-G Ninja"));
}

TEST_F(Build, WithoutATargetItIsRefused) {
  EXPECT_EQ(build(""), 2);
  EXPECT_THAT(said_, HasSubstr("build.sh runner would work"));
}

}  // namespace
}  // namespace flash_steps
