// What the site shows beside the lines is of today's kernels.
#include <gmock/gmock.h>

#include "harness/contract/source.h"
#include "harness/results/freshness.h"
#include "harness/results/read.h"
#include "harness/sass/stored_lines.h"
#include "harness/site/data.h"

namespace flash_steps {
namespace {

using testing::IsEmpty;

TEST(SiteData, TheCountersByLineAreOfTodaysKernels) {
  EXPECT_THAT(read_site_data(FLASH_STEPS_SOURCE_DIR).complaints, IsEmpty());
}

TEST(SiteData, TheMachineCodeByLineIsOfTodaysKernels) {
  int files = 0;
  for (const Kernel& kernel : kernels()) {
    if (!std::filesystem::exists(machine_lines_file(kernel.name))) continue;
    files++;
    const KernelLines lines = read_machine_lines(machine_lines_file(kernel.name));
    EXPECT_EQ(lines.kernel, kernel.name);
    EXPECT_EQ(lines.code, code_hash(kernel)) << kernel.name;
    const auto count = static_cast<int>(lines.source.size());
    for (const FunctionLines& function : lines.functions) {
      EXPECT_GT(function.instructions.size(), 100u) << kernel.name << " " << function.arch;
      for (const PlacedInstruction& instruction : function.instructions) {
        for (const int line : instruction.lines) EXPECT_TRUE(line >= 1 && line <= count) << kernel.name << ":" << line;
      }
    }
  }
  EXPECT_GT(files, 0) << "docs/results/lines holds none";
}

}  // namespace
}  // namespace flash_steps
