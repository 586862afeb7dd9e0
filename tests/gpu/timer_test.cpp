// The timer takes turns, and takes enough samples.
#include "harness/gpu/timing/timer.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>

#include "harness/contract/registry.h"
#include "harness/gpu/device.h"
#include "harness/gpu/launch.h"
#include "harness/gpu/truth/inputs.h"
#include "tests/support/gpu_test.h"

namespace flash_steps {
namespace {

class GpuTimer : public GpuTest {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    if (IsSkipped()) return;
    nvml_ = open_nvml(require_gpu());
    timer_.emplace(gpu().device().l2_bytes, nvml_.get());
    arrays_ = make_device_inputs(problem_);
    output_ = DeviceArray<uint16_t>(problem_.elements());
    planned_.emplace(any_variant(), problem_, tensors());
  }

  // Launches a kernel and notes its turn.
  Contender contender(int number) {
    return {"contender " + std::to_string(number), [this, number](CUstream_st* stream) {
              turns_.push_back(number);
              planned_->launch(stream);
            }};
  }

  Tensors tensors() { return {arrays_.q.data(), arrays_.k.data(), arrays_.v.data(), output_.data()}; }

  Problem problem_{.seqlen = 512, .dtype = any_variant().dtype};
  DeviceInputs arrays_;
  DeviceArray<uint16_t> output_;
  std::optional<PlannedVariant> planned_;
  std::unique_ptr<Nvml> nvml_;
  std::optional<RoundTimer> timer_;
  std::vector<int> turns_;
};

TEST_F(GpuTimer, TakesAsManyPositiveSamplesOfEachAsAsked) {
  const Contender contenders[] = {contender(0), contender(1), contender(2)};
  const std::vector<Timing> timings = timer_->time(contenders, {.min_samples = 30, .min_seconds = 0});
  ASSERT_EQ(timings.size(), 3u);
  for (const Timing& timing : timings) {
    EXPECT_EQ(timing.samples_ms.size(), 30u);
    for (double sample : timing.samples_ms) EXPECT_GT(sample, 0);
  }
}

TEST_F(GpuTimer, GoesOnForTheSecondsOrTheRoundsThatAreEnough) {
  const Contender contenders[] = {contender(0)};
  const std::vector<double> some = timer_->time(contenders, {.min_samples = 2, .min_seconds = 0.005})[0].samples_ms;
  EXPECT_GE(std::accumulate(some.begin(), some.end(), 0.0), 5);
  EXPECT_LE(std::accumulate(some.begin(), some.end() - 1, 0.0), 5) << "it went on for longer than it had to";

  const std::vector<double> most = timer_->time(contenders, {.min_samples = 2, .min_seconds = 1e9})[0].samples_ms;
  EXPECT_EQ(most.size(), size_t{RoundTimer::enough_rounds});
}

TEST_F(GpuTimer, RunsEachContenderOnceARoundInAnOrderThatChanges) {
  const Contender contenders[] = {contender(0), contender(1), contender(2)};
  constexpr int rounds = 40;
  timer_->time(contenders, {.min_samples = rounds, .min_seconds = 0, .with_state = false});  // which launches too
  ASSERT_GE(turns_.size(), size_t{rounds * 3});
  const auto measured = turns_.end() - rounds * 3;  // what came before was warming up
  std::set<std::vector<int>> orders;
  for (int round = 0; round < rounds; round++) {
    const std::vector<int> order(measured + round * 3, measured + round * 3 + 3);
    EXPECT_TRUE(std::is_permutation(order.begin(), order.end(), std::vector<int>{0, 1, 2}.begin()));
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 6u) << "every contender should follow every other at some time";
}

TEST_F(GpuTimer, WarmsUpBeforeItMeasures) {
  const Contender contenders[] = {contender(0)};
  timer_->time(contenders, {.min_samples = 1, .min_seconds = 0});
  EXPECT_GE(turns_.size(), 3u);
}

TEST_F(GpuTimer, TimesLongerWorkAsLonger) {
  const auto run = [this](int times) {
    return Contender{std::to_string(times) + " launches", [this, times](CUstream_st* stream) {
                       for (int i = 0; i < times; i++) planned_->launch(stream);
                     }};
  };
  const Contender contenders[] = {run(4), run(40)};
  const std::vector<Timing> timings = timer_->time(contenders, {.min_samples = 20, .min_seconds = 0});
  const auto shortest = [](const Timing& timing) {  // the one that nothing else of the machine disturbed
    return *std::min_element(timing.samples_ms.begin(), timing.samples_ms.end());
  };
  EXPECT_GT(shortest(timings[1]), 5 * shortest(timings[0]));
  EXPECT_LT(shortest(timings[1]), 15 * shortest(timings[0]));
}

TEST_F(GpuTimer, ReportsTheClockThatEachContenderFound) {
  const Contender contenders[] = {contender(0), contender(1)};
  for (const Timing& timing : timer_->time(contenders, {.min_samples = 20, .min_seconds = 0})) {
    EXPECT_GT(timing.state.sm_clock_mhz, 100);
    EXPECT_LE(timing.state.sm_clock_mhz, 1.02 * gpu().device().sm_clock_max_mhz);
  }
}

TEST_F(GpuTimer, ReportsPowerAndTemperatureWhereTheDriverTellsThem) {
  if (!nvml_) GTEST_SKIP() << "this machine has no NVML";
  // One that works, and one that leaves the GPU idle for as long.
  const Contender contenders[] = {{"ten launches",
                                   [this](CUstream_st* stream) {
                                     for (int i = 0; i < 10; i++) planned_->launch(stream);
                                   }},
                                  {"nothing", [](CUstream_st*) {}}};
  const std::vector<Timing> timings = timer_->time(contenders, {.min_samples = 20, .min_seconds = 0});
  for (const Timing& timing : timings) {
    EXPECT_GT(timing.state.power_watts, 1);
    EXPECT_GT(timing.state.temperature_celsius, 1);
  }
  EXPECT_GT(timings[0].state.power_watts, timings[1].state.power_watts);
}

TEST_F(GpuTimer, MeasuresNothingForNobody) { EXPECT_TRUE(timer_->time({}, {}).empty()); }

}  // namespace
}  // namespace flash_steps
