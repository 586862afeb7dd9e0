// Other programs: what they print and how they end.
#include "harness/base/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "harness/base/error.h"

namespace flash_steps {
namespace {

using testing::HasSubstr;

TEST(Process, TellsWhatWasPrintedAndTheExitCode) {
  const auto result = run_process({"sh", "-c", "echo out; echo err >&2; exit 3"});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->exit_code, 3);
  EXPECT_EQ(result->output, "out\n");
  EXPECT_EQ(result->errors, "err\n");
}

TEST(Process, TellsASignal) { EXPECT_EQ(run_process({"sh", "-c", "kill -TERM $$"})->exit_code, 128 + SIGTERM); }

TEST(Process, ReadsMoreThanAPipeHoldsFromBothAtOnce) {
  const auto result = run_process(
      {"sh", "-c",
       "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789 >&2; i=$((i+1)); done; echo end"});
  EXPECT_EQ(result->errors.size(), 3000u * 41);
  EXPECT_EQ(result->output, "end\n");
}

TEST(Process, HasNoInput) { EXPECT_EQ(run_process({"cat"})->output, ""); }

TEST(Process, AProgramThatIsNotThereIsNothing) {
  EXPECT_EQ(run_process({"no_such_program_of_flash_steps"}), std::nullopt);
}

TEST(Process, AFileThatCannotBeRunIsSaid) {
  try {
    run_process({"/etc/passwd"});
    FAIL();
  } catch (const MachineError& error) {
    EXPECT_THAT(error.what(), HasSubstr("/etc/passwd cannot be started: Permission denied"));
  }
}

// Where children are not waited for, nobody knows how they ended: that is no success.
TEST(Process, AnUnknownEndIsNoSuccess) {
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  EXPECT_THROW(run_process({"false"}), MachineError);
  std::signal(SIGCHLD, before);
  EXPECT_EQ(run_process({"false"})->exit_code, 1);
}

TEST(Process, KnowsItsOwnProgram) { EXPECT_TRUE(std::filesystem::exists(executable())); }

}  // namespace
}  // namespace flash_steps
