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
  run.validation = {Verdict::right, 0.0001, 0.00001, 0.002, "", {}};
  run.timing = TimingSummary{{milliseconds}, milliseconds,        milliseconds, milliseconds,
                             milliseconds,   2199 / milliseconds, {1755},       true};
  return run;
}

std::string printed(const std::vector<flash_steps::Run>& runs, const std::vector<BaselineRun>& baselines = {}) {
  std::ostringstream out;
  print_gpu_table(out, runs, baselines);
  return out.str();
}

std::string printed_emulated(const flash_steps::Run& run) {
  std::ostringstream out;
  print_emulated(out, run);
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
  const std::string line = line_with(printed({run}), "01_base");
  EXPECT_EQ(line, "01_base  64x64    19.250    3.0%   114.2  255    28   64K    2    0.05");
}

TEST(Report, SaysWhetherRepeatsWereBitEqual) {
  flash_steps::Run run = timed_run("01_base", "64x64", 19.25);
  run.timing = std::nullopt;
  EXPECT_THAT(printed({run}), Not(HasSubstr("bit-equal")));
  run.determinism = Determinism{250, true};
  EXPECT_THAT(line_with(printed({run}), "01_base"), EndsWith("  250x bit-equal"));
  EXPECT_THAT(line_with(printed_emulated(run), "01_base"), EndsWith(", 250x bit-equal"));
  run.determinism = Determinism{250, false};
  EXPECT_THAT(line_with(printed({run}), "01_base"), EndsWith("  250x NOT bit-equal"));
}

TEST(Report, TheBestOfSeveralConfigsIsMarked) {
  const std::string text = printed(
      {timed_run("07_autotune", "64x64", 9), timed_run("07_autotune", "128x64", 7), timed_run("01_base", "32x32", 1)});
  EXPECT_THAT(line_with(text, "128x64"), HasSubstr("best"));
  EXPECT_THAT(line_with(text, " 64x64"), Not(HasSubstr("best")));
  EXPECT_THAT(line_with(text, "32x32"), Not(HasSubstr("best")));  // it has no other config
}

TEST(Report, AThrottledRunIsMarked) {
  flash_steps::Run run = timed_run("01_base", "64x64", 19);
  run.timing->state.throttled = true;
  EXPECT_THAT(printed({run}), HasSubstr("throttled"));
}

TEST(Report, AWrongRunHasNoTime) {
  flash_steps::Run run = timed_run("01_base", "64x64", 19);
  run.timing = std::nullopt;
  run.validation.verdict = Verdict::wrong;
  run.validation.max_abs_error = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(line_with(printed({run}), "01_base"), AllOf(HasSubstr("WRONG"), HasSubstr("nan")));
  EXPECT_THAT(printed_emulated(run), HasSubstr("01_base  64x64  WRONG: largest error nan"));
}

TEST(Report, ARightOutputWithAHazardIsNotCalledWrong) {
  flash_steps::Run run = timed_run("01_base", "64x64", 19);
  run.timing = std::nullopt;
  run.validation.verdict = Verdict::hazard;
  run.validation.hazards = {"one", "two"};
  EXPECT_THAT(printed_emulated(run),
              HasSubstr("01_base  64x64  HAZARD: 2 hazards, largest error 0.0001 (tolerance 0.002)"));
  EXPECT_THAT(line_with(printed({run}), "01_base"), HasSubstr("HAZARD"));
}

TEST(Report, TheSummaryCountsTheVerdicts) {
  std::vector<flash_steps::Run> runs(3, timed_run("01_base", "64x64", 19));
  const auto summary = [&] {
    std::ostringstream out;
    print_summary(out, runs);
    return out.str();
  };
  EXPECT_EQ(summary(), "3 right\n");
  runs[0].validation.verdict = Verdict::wrong;
  runs[1].validation.verdict = Verdict::hazard;
  runs[2].determinism = Determinism{9, false};
  EXPECT_EQ(summary(), "1 right, 1 wrong, 1 with a hazard, 1 not bit-equal\n");
}

TEST(Report, TheBestIsOneThatWasTimedInFull) {
  std::vector<flash_steps::Run> runs = {timed_run("07_autotune", "64x64", 9), timed_run("07_autotune", "128x64", 7)};
  runs[1].timing->full_budget = false;
  const std::string text = printed(runs);
  EXPECT_THAT(line_with(text, " 64x64"), HasSubstr("best"));
  EXPECT_THAT(line_with(text, "128x64"), Not(HasSubstr("best")));
}

BaselineRun baseline_run(Baseline baseline, double milliseconds) {
  BaselineRun run;
  run.baseline = baseline;
  run.implementation = "some library 1.0";
  run.validation = {Verdict::right, 0.0001, 0.00001, 0.002, "", {}};
  run.timing = timed_run("", "", milliseconds).timing;
  return run;
}

TEST(Report, ABaselineIsALineAndTheFirstOneIsWhatPercentagesAreOf) {
  flash_steps::Run run = timed_run("01_base", "64x64", 20);
  run.baselines = {{Baseline::fa2, {5, 440, 25, 25, std::nullopt}}, {Baseline::cudnn, {4, 550, 20, 20, std::nullopt}}};
  const std::string text = printed({run}, {baseline_run(Baseline::fa2, 5), baseline_run(Baseline::cudnn, 4)});
  EXPECT_THAT(line_with(text, "kernel"), EndsWith("err/tol  % fa2"));
  EXPECT_THAT(line_with(text, "01_base"), EndsWith("0.05   25.0"));
  EXPECT_EQ(line_with(text, "fa2  "), "fa2                5.000    0.0%   439.8                          0.05  100.0");
  EXPECT_THAT(line_with(text, "cudnn"), EndsWith("0.05  125.0"));
}

TEST(Report, ABaselineThatCouldNotRunSaysWhy) {
  BaselineRun standard;
  standard.baseline = Baseline::standard;
  standard.unavailable = "out of memory: standard attention keeps " + std::string(200, 'x');
  const std::string line = line_with(printed({timed_run("01_base", "64x64", 20)}, {standard}), "standard ");
  EXPECT_THAT(line, HasSubstr("out of memory: standard attention keeps"));
  EXPECT_LE(line.size(), 110u);
}

TEST(Report, APercentageOfAStoredTimeIsMarked) {
  flash_steps::Run run = timed_run("01_base", "64x64", 20);
  run.baselines = {{Baseline::fa2, {5, 440, 25, std::nullopt, "h100.json"}}};
  BaselineRun missing;
  missing.unavailable = "no plugin";
  const std::string text = printed({run}, {missing});
  EXPECT_THAT(line_with(text, "01_base"), EndsWith("25.0*"));
  EXPECT_THAT(text, HasSubstr("* of the time of fa2 that is stored in h100.json\n"));
}

TEST(Report, TheTableIsAtMost110ColumnsWide) {
  flash_steps::Run run = timed_run("13_reverse_iteration", "64x64_q2k2v2c0_ahead", 19.25);
  run.baselines = {{Baseline::fa2, {5, 440, 25, 25, std::nullopt}}};
  const std::string text = printed({run, run}, {baseline_run(Baseline::fa2, 5)});
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

}  // namespace
}  // namespace flash_steps
