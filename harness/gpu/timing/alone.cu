#include <algorithm>
#include <array>
#include <chrono>

#include "harness/gpu/cuda/check.cuh"
#include "harness/gpu/cuda/event.cuh"
#include "harness/gpu/timing/alone.h"

namespace flash_steps {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds settling_time{100};
constexpr std::chrono::milliseconds reading_time{100};

// Launches between two readings: the host waits for the GPU only at their end, and the next ones are under way by then.
constexpr double stretch_ms = 4;
constexpr int most_launches = 256;

class Mean {
 public:
  void add(const GpuState& state) {
    readings_++;
    sum_.sm_clock_mhz += state.sm_clock_mhz;
    sum_.power_watts += state.power_watts;
    sum_.temperature_celsius += state.temperature_celsius;
    sum_.throttled = sum_.throttled || state.throttled;
  }

  bool has_any() const { return readings_ > 0; }

  GpuState value() const {
    return {sum_.sm_clock_mhz / readings_, sum_.power_watts / readings_, sum_.temperature_celsius / readings_,
            sum_.throttled};
  }

 private:
  int readings_ = 0;
  GpuState sum_;
};

}  // namespace

GpuState state_alone(const Contender& contender, double sample_ms, const Nvml& nvml) {
  const int launches = std::clamp(static_cast<int>(stretch_ms / std::max(sample_ms, 1e-3)), 1, most_launches);
  const Stream stream;
  std::array<Event, 2> ends;
  int stretch = 0;
  const auto submit = [&] {
    for (int i = 0; i < launches; i++) contender.launch(stream.get());
    ends[stretch++ % 2].record(stream);
  };

  Mean mean;
  const Clock::time_point settled = Clock::now() + settling_time;
  submit();
  while (!mean.has_any() || Clock::now() < settled + reading_time) {
    submit();
    check_cuda(cudaEventSynchronize(ends[stretch % 2].get()), ("running " + contender.name).c_str());
    if (Clock::now() >= settled) mean.add(nvml.read());
  }
  wait_for_gpu(contender.name);
  return mean.value();
}

}  // namespace flash_steps
