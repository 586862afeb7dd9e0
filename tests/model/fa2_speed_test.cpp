// How fast FlashAttention-2 is of a GPU's peak: the published figures' and those of a sweep.
#include "harness/model/fa2_speed.h"

#include <gtest/gtest.h>

#include "harness/model/rates.h"
#include "harness/results/stored_times.h"

namespace flash_steps {
namespace {

const Rates& ampere() { return *rates_of("sm_80"); }

TEST(Fa2Speed, IsOfThePublishedPeaksWhatTheIssueSays) {
  const Published published = read_published();
  const PublishedColumn& on_a100 = published.columns.at(0);
  const PublishedColumn& on_3090 = published.columns.at(2);
  const Fa2Speed a100_speed = *fa2_speed(on_a100);
  const Fa2Speed rtx3090_speed = *fa2_speed(on_3090);
  EXPECT_NEAR(a100_speed.peak_tflops, 245.5, 0.05);
  EXPECT_NEAR(rtx3090_speed.peak_tflops, 70.5, 0.05);
  // With the FLOP of the softmax, as its author counts, and without.
  EXPECT_NEAR(100 * on_a100.fa2_tflops / a100_speed.peak_tflops, 75.9, 0.05);
  EXPECT_NEAR(100 * on_3090.fa2_tflops / rtx3090_speed.peak_tflops, 95.4, 0.05);
  EXPECT_NEAR(a100_speed.percent_of_peak(), 75.9 * 512 / 518, 0.05);
  EXPECT_NEAR(rtx3090_speed.percent_of_peak(), 95.4 * 512 / 518, 0.05);
}

TEST(Fa2Speed, TurnsAPercentageOfPeakIntoOneOfIts) {
  const Fa2Speed speed{&ampere(), 150, 200, 1000};
  EXPECT_EQ(speed.percent_of_peak(), 75);
  EXPECT_EQ(speed.percent(60), 80);
}

ResultsFile measured(const std::string& compute_capability, double sm_clock_mhz, bool with_fa2) {
  const Problem problem{16, 16, 4096, 128, Dtype::fp16, InputDistribution::normal, 1};
  TimingSummary timing;
  timing.median_ms = 1;
  timing.tflops = 50;
  timing.state.sm_clock_mhz = sm_clock_mhz;
  ResultsFile file;
  file.results.device.name = "NVIDIA Card";
  file.results.device.compute_capability = compute_capability;
  file.results.device.sm_count = 100;
  file.results.device.sm_clock_max_mhz = 2000;
  flash_steps::Run run;
  run.kernel = "01_base";
  run.problem = problem;
  run.timing = timing;
  run.baselines[Baseline::fa2].tflops = 200;
  file.results.runs = {run};
  if (with_fa2) {
    BaselineRun fa2;
    fa2.problem = problem;
    fa2.timing = timing;
    fa2.timing->tflops = 100;
    file.results.baselines = {fa2};
  }
  return file;
}

std::optional<Fa2Speed> speed_of(const ResultsFile& file, int seqlen = 4096) {
  const std::vector<ResultsFile> files = {file};
  return fa2_speed(sweeps_of(files, read_published()).at(0), seqlen);
}

TEST(Fa2Speed, OfASweepIsAtTheClockOfItsRun) {
  const Fa2Speed speed = *speed_of(measured("8.0", 1000, true));
  EXPECT_EQ(speed.rates, &ampere());
  EXPECT_DOUBLE_EQ(speed.peak_tflops, 204.8);  // 2048 FLOP · 100 SMs · 1 GHz
  EXPECT_EQ(speed.tflops, 100);
  EXPECT_FALSE(speed_of(measured("8.0", 1000, true), 512));
  EXPECT_DOUBLE_EQ(speed_of(measured("8.0", 0, true))->peak_tflops, 409.6);  // at the highest clock
  EXPECT_EQ(speed_of(measured("8.0", 1000, false))->tflops, 200);            // that the run was compared with
  EXPECT_FALSE(speed_of(measured("12.0", 1000, true)));
}

}  // namespace
}  // namespace flash_steps
