#include "harness/model/fa2_speed.h"

#include <algorithm>

namespace flash_steps {
namespace {

Fa2Speed speed(const Rates& rates, int sm_count, double sm_clock_mhz, double tflops) {
  return {&rates, tflops, rates.flop() * sm_count * sm_clock_mhz * 1e-6, sm_clock_mhz};
}

std::optional<Fa2Speed> at_clock_of(const DeviceFacts& device, const TimingSummary& timing, double tflops) {
  const Rates* rates = rates_of(arch_of(device.compute_capability));
  if (rates == nullptr) return std::nullopt;
  const double clock = timing.state.sm_clock_mhz > 0 ? timing.state.sm_clock_mhz : device.sm_clock_max_mhz;
  return speed(*rates, device.sm_count, clock, tflops);
}

}  // namespace

std::optional<Fa2Speed> fa2_speed(const PublishedColumn& column) {
  for (const Rates& rates : all_rates()) {
    if (rates.gpu == column.gpu) {
      return speed(rates, rates.sm_count, column.sm_clock_mhz, column.fa2_tflops_of_products());
    }
  }
  return std::nullopt;
}

std::optional<Fa2Speed> fa2_speed(const DeviceFacts& device, const TimingSummary& timing) {
  return at_clock_of(device, timing, timing.tflops);
}

std::optional<Fa2Speed> fa2_speed(const Sweep& sweep, int seqlen) {
  const DeviceFacts& device = sweep.files.front()->results.device;
  if (const auto timed = sweep.fa2.find(seqlen); timed != sweep.fa2.end()) {
    return fa2_speed(device, *timed->second->timing);
  }
  // A stored time, with which the runs were compared, is taken at their clock.
  for (const auto& [key, run] : sweep.best_runs) {
    const auto fa2 = run->baselines.find(Baseline::fa2);
    if (key.second == seqlen && fa2 != run->baselines.end())
      return at_clock_of(device, *run->timing, fa2->second.tflops);
  }
  return std::nullopt;
}

std::map<std::string, Fa2Speed> fa2_speeds(const Published& published, const std::vector<Sweep>& sweeps, Dtype dtype) {
  std::map<std::string, Fa2Speed> speeds;
  const auto enter = [&](const std::optional<Fa2Speed>& speed) {
    if (speed) speeds.insert({speed->rates->arch, *speed});
  };
  for (const PublishedColumn& column : published.columns) {
    if (!column.is_mean) enter(fa2_speed(column));
  }
  for (const Sweep& sweep : sweeps) {
    if (sweep.dtype == dtype) enter(fa2_speed(sweep, table_seqlen));
  }
  return speeds;
}

}  // namespace flash_steps
