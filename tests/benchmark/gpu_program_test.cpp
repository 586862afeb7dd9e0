// The command line and the exit codes of the programs that measure on a GPU; what they measure needs one.
#include "benchmark/gpu_program.h"

#include <gmock/gmock.h>

#include "harness/base/error.h"
#include "tests/support/temporary_folder.h"

namespace flash_steps {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class GpuProgram : public InTemporaryFolder {
 protected:
  // Its exit code; what it says on stderr is in said_.
  int run(std::vector<std::string> arguments, const MeasureOnGpu& measure) {
    arguments.insert(arguments.begin(), "build/gpu_x");
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    const int code = run_gpu_program("gpu_x", "Measures x.", arguments, measure);
    help_ = testing::internal::GetCapturedStdout();
    said_ = testing::internal::GetCapturedStderr();
    return code;
  }

  static int never(const std::string&, const std::vector<std::string>&) {
    ADD_FAILURE() << "it measured";
    return 0;
  }

  template <typename Error>
  static int thrown(const std::string&, const std::vector<std::string>&) {
    throw Error("the reason");
  }

  std::string said_, help_;
};

TEST_F(GpuProgram, GetsTheFileAndTheCommandLine) {
  const std::string file = (folder_ / "x.json").string();
  const auto measure = [&](const std::string& json, const std::vector<std::string>& argv) {
    EXPECT_EQ(json, file);
    EXPECT_THAT(argv, testing::ElementsAre("build/gpu_x", "--json=" + file));
    return 1;
  };
  EXPECT_EQ(run({"--json=" + file}, measure), 1);
  EXPECT_EQ(run({}, [](const std::string& json, const auto&) { return json.empty() ? 0 : 1; }), 0);
}

TEST_F(GpuProgram, RefusesAFileThatCannotBeWrittenBeforeItMeasures) {
  EXPECT_EQ(run({"--json=" + (folder_ / "none" / "x.json").string()}, never), 2);
  EXPECT_THAT(said_, StartsWith("gpu_x: --json: "));
}

TEST_F(GpuProgram, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(run({"--jsn=x"}, never), 2);
  EXPECT_THAT(said_, StartsWith("gpu_x: "));
  EXPECT_THAT(said_, HasSubstr("--help"));
}

TEST_F(GpuProgram, ShowsItsHelp) {
  EXPECT_EQ(run({"--help"}, never), 0);
  EXPECT_THAT(help_, HasSubstr("Measures x."));
  EXPECT_THAT(said_, IsEmpty());
}

TEST_F(GpuProgram, EndsAsTheRunnerDoes) {
  EXPECT_EQ(run({}, thrown<KernelError>), 1);
  EXPECT_EQ(run({}, thrown<UsageError>), 2);
  EXPECT_EQ(run({}, thrown<MachineError>), 3);
  EXPECT_EQ(said_, "gpu_x: the reason\n");
}

}  // namespace
}  // namespace flash_steps
