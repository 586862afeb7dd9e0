// Times, as a machine takes them.
#pragma once

#include <vector>

namespace flash_steps {

/// How much to measure.
struct TimingBudget {
  int min_samples = 20;      ///< of each kernel
  double min_seconds = 0.5;  ///< of each kernel's own time
  bool with_state = true;    ///< also power, temperature and throttling, for which each kernel runs alone for a while

  bool operator==(const TimingBudget&) const = default;
};

/// The GPU while one kernel ran; 0 for what it does not tell.
struct GpuState {
  double sm_clock_mhz = 0;  ///< in the mean of its samples, by the SM's own counter where that can be read
  /// The others are the driver's word on a fifth of a second after the rounds, in which this kernel alone ran.
  double power_watts = 0;
  double temperature_celsius = 0;
  bool throttled = false;  ///< the clocks were held down by power or heat at some moment of that

  bool operator==(const GpuState&) const = default;
};

struct Timing {
  std::vector<double> samples_ms;  ///< in the order of the rounds
  GpuState state;
};

}  // namespace flash_steps
