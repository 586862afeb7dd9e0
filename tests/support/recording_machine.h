// A machine that only records what it is asked.
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/machine/machine.h"

namespace flash_steps {

/// Its members choose what it refuses and what it finds wrong, by the names of configs. One that stands for a GPU takes
/// times; one that stands for the emulator watches.
class RecordingMachine : public Machine, private Stopwatch, private Observer {
 public:
  explicit RecordingMachine(Target target) { facts.backend = target; }

  const DeviceFacts& device() const override { return facts; }
  Problem default_problem() const override { return {}; }
  std::optional<std::string> refusal(const Variant& variant, const Problem&) const override {
    if (variant.tile.config == refused) return "too much shared memory";
    return std::nullopt;
  }
  Resources resources(const Variant&) override { return {100, 49152, 0, 2}; }
  void load(const Problem& problem, bool) override {
    loaded = problem;
    record("load " + std::to_string(problem.seqlen));
  }
  MemoryUse memory(const Variant&) override { return {.tensor_bytes = 4 * loaded.bytes()}; }
  OutputErrors check(const Variant& variant) override {
    record("check " + variant.tile.config);
    OutputErrors errors;
    errors.max_abs_reference = 1;
    errors.max_abs = is_wrong(variant) ? std::numeric_limits<double>::quiet_NaN() : 0;
    return errors;
  }
  int differing_repeats(const Variant& variant, int repeats) override {
    record("repeat " + variant.tile.config + " " + std::to_string(repeats));
    return variant.tile.config == irreproducible ? 2 : 0;
  }
  void launch(const Variant& variant) override { record("launch " + variant.tile.config); }
  std::vector<uint16_t> output() override { return {}; }
  Observer* observer() override { return facts.backend == Target::emulator ? this : nullptr; }
  Stopwatch* stopwatch() override { return facts.backend == Target::gpu ? this : nullptr; }

  void record(const std::string& event) { events.push_back(event); }

  DeviceFacts facts;
  Problem loaded;
  std::string refused;
  std::string irreproducible;
  std::function<bool(const Variant&)> is_wrong = [](const Variant&) { return false; };
  Observation observed;
  std::optional<Baseline> missing;
  std::optional<Baseline> too_large;
  std::optional<Baseline> too_large_to_check, too_large_to_time;  ///< though prepared
  std::optional<Baseline> wrong;
  double errors_of_baselines = 0;
  std::map<std::string, double>
      milliseconds;  // the first of three samples, each 1 more than the one before; 1 by default
  std::map<std::string, std::vector<double>> samples;  // instead of those
  std::vector<TimingBudget> budgets;
  std::vector<std::string> events;

 private:
  void prepare(Baseline baseline) override {
    record(std::string("prepare ") + name_of(baseline));
    if (baseline == missing) throw MachineError("there is none");
    if (baseline == too_large) throw OutOfMemory("there is no room");
  }
  std::string implementation(Baseline baseline) const override { return std::string(name_of(baseline)) + " 1.0"; }
  MemoryUse memory(Baseline) override { return {.tensor_bytes = 4 * loaded.bytes(), .workspace_bytes = 7}; }
  OutputErrors check(Baseline baseline) override {
    record(std::string("check ") + name_of(baseline));
    if (baseline == too_large_to_check) throw OutOfMemory("there is no room for a check");
    OutputErrors errors;
    errors.max_abs = baseline == wrong ? 1 : errors_of_baselines;
    return errors;
  }
  std::vector<Timing> time(std::span<const Variant* const> variants, std::span<const Baseline> baselines,
                           const TimingBudget& budget) override {
    std::string names;
    std::vector<Timing> timings;
    const auto add = [&](const std::string& name) {
      names += " " + name;
      const double first = milliseconds.count(name) != 0 ? milliseconds.at(name) : 1;
      const auto given = samples.find(name);
      timings.emplace_back().samples_ms =
          given != samples.end() ? given->second : std::vector<double>{first, first + 1, first + 2};
    };
    for (const Variant* variant : variants) add(variant->tile.config);
    for (const Baseline baseline : baselines) add(name_of(baseline));
    record("time" + names);
    for (const Baseline baseline : baselines) {
      if (baseline == too_large_to_time) throw BaselineOutOfMemory(baseline, "there is no room for another launch");
    }
    budgets.push_back(budget);
    return timings;
  }
  const Observation& observation() const override { return observed; }
};

inline Variant variant_of(const std::string& config, int rows = 64, int cols = 64) {
  Variant variant{};
  variant.tile.config = config;
  variant.tile.tile_rows = rows;
  variant.tile.tile_cols = cols;
  return variant;
}

}  // namespace flash_steps
