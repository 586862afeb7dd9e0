// Results: what a run found out, as it is in memory. read.h and write.h have the file, compare.h what follows from it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/contract/problem.h"
#include "harness/machine/baseline.h"
#include "harness/machine/counters.h"
#include "harness/machine/device.h"
#include "harness/machine/observation.h"
#include "harness/machine/timing.h"
#include "harness/truth/judge.h"

namespace flash_steps {

/// Where, when and how the results were made.
struct Meta {
  std::vector<std::string> argv;
  std::optional<std::string> git;  ///< commit of the source folder; nothing if it is no git checkout
  std::optional<bool> dirty;       ///< whether files other than pages and results differ from that commit
  std::string date;                ///< UTC, as in 2025-01-31T12:34:56Z
  std::string compiler;
  std::optional<std::string> cuda;    ///< version of the toolkit; nothing if built without
  std::optional<std::string> driver;  ///< version of the GPU's driver; nothing on the emulator

  bool operator==(const Meta&) const = default;
};

/// Of one of several tensors that a kernel writes.
struct TensorErrors {
  double max_abs_error = 0;
  double rms_error = 0;
  double tolerance = 0;
  bool right = true;  ///< files from before it was kept say it of all together

  bool operator==(const TensorErrors&) const = default;
};

struct Validation {
  Verdict verdict = Verdict::right;  ///< until a check says otherwise
  double max_abs_error = 0;          ///< NaN (null in JSON) if the output was not finite
  double rms_error = 0;
  double tolerance = 0;  ///< for max_abs_error; see judge()
  std::string reference;
  std::vector<std::string> hazards;  ///< a paragraph each, without the kernel's name
  /// Of a kernel that writes several; the members above are of the one nearest to its tolerance, or beyond.
  std::map<Output, TensorErrors> tensors = {};

  bool right() const { return verdict == Verdict::right; }
};

/// Launched several times on the same inputs.
struct Determinism {
  int repeats = 0;
  bool bit_equal = false;  ///< all outputs were the same in every bit

  bool operator==(const Determinism&) const = default;
};

struct TimingSummary {
  std::vector<double> samples_ms;
  double median_ms = 0;
  double p20_ms = 0;
  double p80_ms = 0;
  double min_ms = 0;
  double tflops = 0;  ///< of the median
  GpuState state;     ///< power and temperature are 0 in files from before they were kept
  /// false: a few samples that ranked the configs of a kernel, of which this was not among the best
  bool full_budget = true;
};

/// A kernel against a baseline on the same problem.
struct Comparison {
  double median_ms = 0;  ///< of the baseline, in the rounds in which the kernel was timed
  double tflops = 0;     ///< of that
  double percent = 0;    ///< the kernel's speed in percent of the baseline's, of the medians: 100 · baseline / kernel
  /// The median of the percentages of each round, which drifting clocks do not touch; nothing where the baseline is not
  /// of the same rounds.
  std::optional<double> paired_percent;
  /// The results file that the baseline's time is from, if it could not be measured here.
  std::optional<std::string> stored_in;

  /// The one to show: of the pairs, unless there are none.
  double shown_percent() const { return paired_percent.value_or(percent); }

  bool operator==(const Comparison&) const = default;
};

/// One variant on one problem.
struct Run {
  std::string kernel;
  std::string config;
  Problem problem;
  std::string code;  ///< see code_hash() in freshness.h; empty in files from before it was kept
  Resources resources;
  std::optional<MemoryUse> memory;  ///< nothing if the kernel was wrong at a small shape already, and in older files
  Validation validation;
  std::optional<Determinism> determinism;  ///< with --repeat, unless wrong
  std::optional<TimingSummary> timing;     ///< on a GPU, unless only checked or wrong
  std::map<Baseline, Comparison> baselines;
  std::optional<Counters> counters;      ///< on the emulator, unless only checked
  std::vector<LaunchCounters> launches;  ///< of which counters is the sum; empty for a kernel that is one launch
  std::vector<LineCounters> lines;       ///< with --explain
};

/// A baseline on one problem.
struct BaselineRun {
  Baseline baseline = Baseline::fa2;
  Problem problem;
  std::optional<std::string> unavailable;  ///< why it could not run here; if set, the members below say nothing
  bool out_of_memory = false;              ///< if that is why
  std::string implementation;              ///< what computed, with its version
  std::optional<MemoryUse> memory;         ///< nothing in older files
  Validation validation;
  std::optional<TimingSummary> timing;
};

struct Results {
  Meta meta;
  DeviceFacts device;
  std::vector<Run> runs;
  std::vector<BaselineRun> baselines;
};

}  // namespace flash_steps
