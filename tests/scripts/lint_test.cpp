// scripts/lint.sh notices what it is there to notice, and says when a tool is missing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>

#include "tests/support/content.h"
#include "tests/support/temporary_folder.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class Lint : public InTemporaryFolder {
 protected:
  // In a project of two files and a script, with stand-ins for the tools; the exit code.
  int lint(const std::string& arguments, const std::string& said_by_format = "") {
    for (const char* folder : {"scripts", ".ci"}) fs::create_directories(folder_ / folder);
    for (const char* script : {"lint.sh", "setup.sh"}) {
      fs::copy_file(fs::path(FLASH_STEPS_SOURCE_DIR) / "scripts" / script, folder_ / "scripts" / script,
                    fs::copy_options::overwrite_existing);
    }
    written("runner", "#!/usr/bin/env bash\n");
    written(".ci/run", "#!/usr/bin/env bash\n");
    program("clang-format-14", said_by_format.empty() ? "" : "echo '" + said_by_format + "'; exit 1");
    program("clang-tidy-14", "echo \"${!#}\" >>tidied");
    program("shellcheck", "echo \"$@\" >checked");
    const std::string command = "cd '" + folder_.string() +
                                "' && git init -q && git add . && PATH=\"$PWD/programs:$PATH\" scripts/lint.sh " +
                                arguments + " >said 2>&1";
    return WEXITSTATUS(std::system(command.c_str()));
  }

  void program(const std::string& name, const std::string& body) const {
    fs::create_directories(folder_ / "programs");
    written("programs/" + name, "#!/usr/bin/env bash\n" + body + "\n");
    fs::permissions(folder_ / "programs" / name, fs::perms::owner_all);
  }
};

TEST_F(Lint, PassesWhereNothingIsFoundAndReadsAllScripts) {
  written("a.cpp", "int a;\n");
  EXPECT_EQ(lint("format shell"), 0) << content(folder_ / "said");
  EXPECT_THAT(content(folder_ / "checked"), HasSubstr("runner .ci/run scripts/lint.sh scripts/setup.sh"));
}

TEST_F(Lint, FailsWithWhatAToolFoundAndRunsTheOthers) {
  written("a.cpp", "int  a;\n");
  EXPECT_EQ(lint("format shell", "a.cpp:1: not clang-formatted"), 1);
  EXPECT_THAT(content(folder_ / "said"), HasSubstr("not clang-formatted"));
  EXPECT_TRUE(fs::exists(folder_ / "checked"));
}

TEST_F(Lint, FailsWhereAFileDoesNotCompileByItself) {
  program("cmake", R"(printf '[{"directory": "%s", "command": "c++ -o a.o -c a.cpp", "file": "a.cpp"}]' "$PWD" \
  >build/lint/alone/compile_commands.json)");
  written("a.cpp", "int a = b;\n");
  EXPECT_EQ(lint("alone"), 1);
  EXPECT_THAT(content(folder_ / "said"), HasSubstr("was not declared"));
  written("a.cpp", "int a;\n");
  EXPECT_EQ(lint("alone"), 0) << content(folder_ / "said");
}

// A file with options of its own is in no room's piece.
TEST_F(Lint, TidiesAllThatTheHarnessIsBuiltOf) {
  program("cmake", R"(
    compiled() { printf '{"directory": "%s", "command": "c++ -o CMakeFiles/%s.o -c %s", "file": "%s"}' "$PWD" "$1/$2" "$2" "$2"; }
    echo "[$(compiled flash_steps_computes.dir room.cxx), $(compiled flash_steps_computes.dir fast.cpp),
           $(compiled flash_steps_shows.dir shown.cxx), $(compiled flash_steps_fuzzed.dir again.cxx)]" \
      >build/lint/compile_commands.json)");
  EXPECT_EQ(lint("tidy"), 0) << content(folder_ / "said");
  const std::string tidied = content(folder_ / "tidied");
  for (const char* file : {"room.cxx", "fast.cpp", "shown.cxx"}) EXPECT_THAT(tidied, HasSubstr(file));
  EXPECT_THAT(tidied, Not(HasSubstr("again.cxx")));
}

TEST_F(Lint, RefusesWhatIsNoCheck) {
  EXPECT_EQ(lint("colour"), 2);
  EXPECT_THAT(content(folder_ / "said"), HasSubstr("'colour' is none of its checks: format, tidy, alone and shell"));
}

}  // namespace
}  // namespace flash_steps
