// What the console shows of results.
#include "harness/console/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <sstream>

#include "harness/base/text.h"

namespace flash_steps {
namespace {

using testing::AllOf;
using testing::EndsWith;
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

std::string printed(Target backend, const std::vector<flash_steps::Run>& runs,
                    const std::vector<BaselineRun>& baselines = {}) {
  DeviceFacts device;
  device.backend = backend;
  device.name = "machine";
  std::ostringstream out;
  print_runs(out, device, runs, baselines);
  return out.str();
}

std::string line_with(const std::string& text, const std::string& part) {
  for (const std::string& line : split(text, '\n')) {
    if (line.find(part) != std::string::npos) return line;
  }
  return "";
}

TEST(Report, AGpuRunIsALineOfTheTable) {
  flash_steps::Run run = timed_run("01_base", "64x64", 19.25);
  run.timing->p20_ms = 19.1;
  run.timing->p80_ms = 19.6775;
  const std::string line = line_with(printed(Target::gpu, {run}), "01_base");
  EXPECT_EQ(line, "01_base  64x64    19.250    3.0%   114.2  255    28   64K    2    0.05");
}

TEST(Report, SaysWhetherRepeatsWereBitEqual) {
  flash_steps::Run run = timed_run("01_base", "64x64", 19.25);
  run.timing = std::nullopt;
  EXPECT_THAT(printed(Target::gpu, {run}), Not(HasSubstr("bit-equal")));
  run.determinism = Determinism{250, true};
  EXPECT_THAT(line_with(printed(Target::gpu, {run}), "01_base"), EndsWith("  250x bit-equal"));
  EXPECT_THAT(line_with(printed(Target::emulator, {run}), "01_base"), EndsWith(", 250x bit-equal"));
  run.determinism = Determinism{250, false};
  EXPECT_THAT(line_with(printed(Target::gpu, {run}), "01_base"), EndsWith("  250x NOT bit-equal"));
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

TEST(Report, TheBestIsOneThatWasTimedInFull) {
  std::vector<flash_steps::Run> runs = {timed_run("07_autotune", "64x64", 9), timed_run("07_autotune", "128x64", 7)};
  runs[1].timing->full_budget = false;
  const std::string text = printed(Target::gpu, runs);
  EXPECT_THAT(line_with(text, " 64x64"), HasSubstr("best"));
  EXPECT_THAT(line_with(text, "128x64"), Not(HasSubstr("best")));
}

BaselineRun baseline_run(Baseline baseline, double milliseconds) {
  BaselineRun run;
  run.baseline = baseline;
  run.implementation = "some library 1.0";
  run.validation = {true, 0.0001, 0.00001, 0.002, ""};
  run.timing = timed_run("", "", milliseconds).timing;
  return run;
}

TEST(Report, ABaselineIsALineAndTheFirstOneIsWhatPercentagesAreOf) {
  flash_steps::Run run = timed_run("01_base", "64x64", 20);
  run.baselines = {{Baseline::fa2, {5, 440, 25, 25, std::nullopt}}, {Baseline::cudnn, {4, 550, 20, 20, std::nullopt}}};
  const std::string text =
      printed(Target::gpu, {run}, {baseline_run(Baseline::fa2, 5), baseline_run(Baseline::cudnn, 4)});
  EXPECT_THAT(line_with(text, "kernel"), EndsWith("err/tol  % fa2"));
  EXPECT_THAT(line_with(text, "01_base"), EndsWith("0.05   25.0"));
  EXPECT_EQ(line_with(text, "fa2  "), "fa2                5.000    0.0%   439.8                          0.05  100.0");
  EXPECT_THAT(line_with(text, "cudnn"), EndsWith("0.05  125.0"));
}

TEST(Report, ABaselineThatCouldNotRunSaysWhy) {
  BaselineRun standard;
  standard.baseline = Baseline::standard;
  standard.unavailable = "out of memory: standard attention keeps " + std::string(200, 'x');
  const std::string line =
      line_with(printed(Target::gpu, {timed_run("01_base", "64x64", 20)}, {standard}), "standard ");
  EXPECT_THAT(line, HasSubstr("out of memory: standard attention keeps"));
  EXPECT_LE(line.size(), 110u);
}

TEST(Report, APercentageOfAStoredTimeIsMarked) {
  flash_steps::Run run = timed_run("01_base", "64x64", 20);
  run.baselines = {{Baseline::fa2, {5, 440, 25, std::nullopt, "h100.json"}}};
  BaselineRun missing;
  missing.unavailable = "no plugin";
  const std::string text = printed(Target::gpu, {run}, {missing});
  EXPECT_THAT(line_with(text, "01_base"), EndsWith("25.0*"));
  EXPECT_THAT(text, HasSubstr("* of the time of fa2 that is stored in h100.json\n"));
}

TEST(Report, TheTableIsAtMost110ColumnsWide) {
  flash_steps::Run run = timed_run("13_reverse_iteration", "64x64_q2k2v2c0_ahead", 19.25);
  run.baselines = {{Baseline::fa2, {5, 440, 25, 25, std::nullopt}}};
  const std::string text = printed(Target::gpu, {run, run}, {baseline_run(Baseline::fa2, 5)});
  for (const std::string& line : split(text, '\n')) EXPECT_LE(line.size(), 110u) << line;
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
