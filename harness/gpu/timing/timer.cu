#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>
#include <random>

#include "harness/base/text.h"
#include "harness/gpu/cuda/check.cuh"
#include "harness/gpu/cuda/event.cuh"
#include "harness/gpu/timing/alone.h"
#include "harness/gpu/timing/sm_clock.h"
#include "harness/gpu/timing/timer.h"

namespace flash_steps {
namespace {

using Clock = std::chrono::steady_clock;

// An idle GPU takes some tens of milliseconds to raise its clocks.
constexpr std::chrono::milliseconds warm_up_time{200};
constexpr int warm_up_rounds = 2;

// Where a round has kernels of very different speed, the slow ones would run for minutes until the fast ones have run
// for long enough. This often the time that all should take is enough for all.
constexpr double most_of_budget = 4;

// What overwrites L2 before a round, in addition to once before each sample: the host gets ahead of the GPU by some
// hundred microseconds, so that a contender whose launch takes the host long is not waited for between its events.
constexpr int head_start = 8;

// What one contender's launch lies between.
struct Sample {
  Event start, stop;

  double milliseconds() const { return milliseconds_between(start, stop); }
};

// The clocks that one contender found.
struct Clocks {
  double sum_mhz = 0;
  int samples = 0;

  void add(std::optional<double> mhz) {
    if (!mhz) return;
    sum_mhz += *mhz;
    samples++;
  }
};

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

double seconds_of(const Timing& timing) {
  return std::accumulate(timing.samples_ms.begin(), timing.samples_ms.end(), 0.0) / 1000;
}

bool has_enough(const Timing& timing, const TimingBudget& budget) {
  const int samples = static_cast<int>(timing.samples_ms.size());
  const double seconds = seconds_of(timing);
  return samples >= std::max(budget.min_samples, 1) &&
         (seconds >= budget.min_seconds || samples >= RoundTimer::enough_rounds);
}

bool have_run_long(const std::vector<Timing>& timings, const TimingBudget& budget) {
  double seconds = 0;
  for (const Timing& timing : timings) {
    if (static_cast<int>(timing.samples_ms.size()) < std::max(budget.min_samples, 1)) return false;
    seconds += seconds_of(timing);
  }
  return seconds > most_of_budget * budget.min_seconds * static_cast<double>(timings.size());
}

// The driver's word, if there is a driver to ask, and the clock by the SM's own counter where that can be read.
GpuState state_of(const Contender& contender, const Timing& timing, const Clocks& clocks, const Nvml* nvml) {
  GpuState state;
  if (nvml != nullptr) state = state_alone(contender, median(timing.samples_ms), *nvml);
  if (clocks.samples > 0) state.sm_clock_mhz = clocks.sum_mhz / clocks.samples;
  return state;
}

std::string names_of(std::span<const Contender> contenders) {
  std::vector<std::string> names;
  for (const Contender& contender : contenders) names.push_back(contender.name);
  return join(names, " or ");
}

}  // namespace

RoundTimer::RoundTimer(int64_t l2_bytes, const Nvml* nvml) : flush_(2 * l2_bytes), nvml_(nvml) {}

std::vector<Timing> RoundTimer::time(std::span<const Contender> contenders, const TimingBudget& budget) {
  const int count = static_cast<int>(contenders.size());
  std::vector<Timing> timings(count);
  std::vector<Sample> samples(count);
  std::vector<Clocks> clocks(count);
  SmClock sm_clock(2 * count);  // of each contender before and after it
  const std::string names = names_of(contenders);
  const Stream stream;

  // Nothing here waits for the GPU. While it overwrites L2 (tens of microseconds), the host puts the events and the
  // launch behind that, so that no time between the events is the host's.
  const auto overwrite_l2 = [&] {
    check_cuda(cudaMemsetAsync(flush_.data(), 0, flush_.bytes(), stream.get()), "overwriting L2");
  };
  const auto submit = [&](int contender) {
    overwrite_l2();
    sm_clock.note(2 * contender, stream.get());
    samples[contender].start.record(stream);
    contenders[contender].launch(stream.get());
    samples[contender].stop.record(stream);
    sm_clock.note(2 * contender + 1, stream.get());
  };
  int round = 0;
  std::vector<int> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::minstd_rand random;  // any order does; the same ones in every run
  const auto submit_round = [&] {
    for (int i = 0; i < head_start; i++) overwrite_l2();
    std::shuffle(order.begin(), order.end(), random);
    for (const int contender : order) submit(contender);
    round++;
  };

  // The first runs load the code, one at a time, so that an error names the one that made it.
  for (int contender = 0; contender < count; contender++) {
    submit(contender);
    wait_for_gpu(contenders[contender].name);
  }
  const Clock::time_point warm = Clock::now() + warm_up_time;
  while (count > 0 && (round < warm_up_rounds || Clock::now() < warm)) {
    submit_round();
    wait_for_gpu(names);
  }

  const auto all_have_enough = [&] {
    return std::all_of(timings.begin(), timings.end(), [&](const Timing& t) { return has_enough(t, budget); });
  };
  while (!all_have_enough() && !have_run_long(timings, budget)) {
    submit_round();
    wait_for_gpu(names);
    for (int i = 0; i < count; i++) {
      timings[i].samples_ms.push_back(samples[i].milliseconds());
      clocks[i].add(sm_clock.mhz_between(2 * i, 2 * i + 1));
    }
  }
  const Nvml* const nvml = budget.with_state ? nvml_ : nullptr;
  for (int i = 0; i < count; i++) timings[i].state = state_of(contenders[i], timings[i], clocks[i], nvml);
  return timings;
}

}  // namespace flash_steps
