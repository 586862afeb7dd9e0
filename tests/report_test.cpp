// What the console shows of results.
#include "harness/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <sstream>

#include "harness/text.h"

namespace flash_steps {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

flash_steps::Run timed_run(const std::string& kernel, const std::string& config, double milliseconds) {
  flash_steps::Run run;
  run.kernel = kernel;
  run.config = config;
  run.resources = {255, 65536, 28, 2};
  run.validation = {true, 0.0001, 0.00001, 0.002, ""};
  run.timing = TimingSummary{{milliseconds}, milliseconds,        milliseconds, milliseconds,
                             milliseconds,   2199 / milliseconds, 1755,         false};
  return run;
}

std::string printed(Target backend, const std::vector<flash_steps::Run>& runs) {
  DeviceFacts device;
  device.backend = backend;
  device.name = "machine";
  std::ostringstream out;
  print_runs(out, device, runs);
  return out.str();
}

std::string line_with(const std::string& text, const std::string& part) {
  for (const std::string& line : split(text, '\n')) {
    if (line.find(part) != std::string::npos) return line;
  }
  return "";
}

TEST(Report, AGpuRunIsALineOfTheTable) {
  const std::string line = line_with(printed(Target::gpu, {timed_run("01_base", "64x64", 19.25)}), "01_base");
  EXPECT_EQ(line, "01_base  64x64    19.250   19.250-19.250   114.2  255    28   64K    2    0.05");
}

TEST(Report, TheBestOfSeveralConfigsIsMarked) {
  const std::string text = printed(
      Target::gpu,
      {timed_run("07_autotune", "64x64", 9), timed_run("07_autotune", "128x64", 7), timed_run("01_base", "32x32", 1)});
  EXPECT_THAT(line_with(text, "128x64"), HasSubstr("best"));
  EXPECT_THAT(line_with(text, " 64x64"), Not(HasSubstr("best")));
  EXPECT_THAT(line_with(text, "32x32"), Not(HasSubstr("best")));  // it has no other config
}

TEST(Report, AThrottledRunIsMarked) {
  flash_steps::Run run = timed_run("01_base", "64x64", 19);
  run.timing->throttled = true;
  EXPECT_THAT(printed(Target::gpu, {run}), HasSubstr("throttled"));
}

TEST(Report, AWrongRunHasNoTime) {
  flash_steps::Run run = timed_run("01_base", "64x64", 19);
  run.timing = std::nullopt;
  run.validation.passed = false;
  run.validation.max_abs_error = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(line_with(printed(Target::gpu, {run}), "01_base"), AllOf(HasSubstr("WRONG"), HasSubstr("nan")));
  EXPECT_THAT(printed(Target::emulator, {run}), HasSubstr("01_base  64x64  WRONG: largest error nan"));
}

TEST(Report, TheTableIsAtMost110ColumnsWide) {
  flash_steps::Run run = timed_run("13_reverse_iteration", "128x64_q1k1v1_ahead", 19.25);
  for (const std::string& line : split(printed(Target::gpu, {run, run}), '\n')) EXPECT_LE(line.size(), 110u) << line;
}

TEST(Report, CountersThatDoNotApplyStayBlank) {
  Counters counters;
  counters.cp_async = {1152, 4608, 4608, 18432};
  counters.global_store = {128, 0, 0, 2048};
  std::ostringstream out;
  print_counters(out, counters);
  EXPECT_EQ(line_with(out.str(), "cp.async"),
            "  cp.async                1,152          4,608          4,608              0         18,432");
  EXPECT_EQ(line_with(out.str(), "global store"),
            "  global store              128                                                       2,048");
  EXPECT_EQ(line_with(out.str(), "ldmatrix"), "");  // never executed
}

TEST(Text, NumbersAreGroupedByThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
}

TEST(Text, ACutDoesNotSplitACharacter) {
  EXPECT_EQ(shortened("Q·Kᵀ / √d", 9), "Q·Kᵀ / √d");
  EXPECT_EQ(shortened("Q·Kᵀ / √d", 8), "Q·Kᵀ ...");
  EXPECT_EQ(pad_left("√", 3), "  √");
}

TEST(Text, TheNearestTakesTheFewestEdits) {
  EXPECT_EQ(nearest("02_swizling", {"01_base", "02_swizzling", "03_eager_loads"}), "02_swizzling");
  EXPECT_EQ(nearest("--bach", {"--batch", "--heads"}), "--batch");
  EXPECT_EQ(nearest("x", {}), "");
}

TEST(Text, SplittingKeepsEmptyParts) {
  EXPECT_THAT(split("a,,b", ','), testing::ElementsAre("a", "", "b"));
  EXPECT_THAT(split("", ','), testing::ElementsAre(""));
}

}  // namespace
}  // namespace flash_steps
