// Results: what a run found out, in memory and as a JSON file of schema "flash-steps/results/1".
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/backend.h"
#include "harness/problem.h"

namespace flash_steps {

/// Where, when and how the results were made.
struct Meta {
  std::vector<std::string> argv;
  std::optional<std::string> git;  ///< commit of the source folder; nothing if it is no git checkout
  std::optional<bool> dirty;       ///< whether tracked files differ from that commit
  std::string date;                ///< UTC, as in 2025-01-31T12:34:56Z
  std::string compiler;
  std::optional<std::string> cuda;    ///< version of the toolkit; nothing if built without
  std::optional<std::string> driver;  ///< version of the GPU's driver; nothing on the emulator

  bool operator==(const Meta&) const = default;
};

struct Validation {
  bool passed = false;
  double max_abs_error = 0;  ///< NaN (null in JSON) if the output was not finite
  double rms_error = 0;
  double tolerance = 0;  ///< for max_abs_error; see judge() in validate.h
  std::string reference;
};

struct TimingSummary {
  std::vector<double> samples_ms;
  double median_ms = 0;
  double p20_ms = 0;
  double p80_ms = 0;
  double min_ms = 0;
  double tflops = 0;  ///< of the median
  double sm_clock_mhz = 0;
  bool throttled = false;
};

/// One variant on one problem.
struct Run {
  std::string kernel;
  std::string config;
  Problem problem;
  Resources resources;
  Validation validation;
  std::optional<TimingSummary> timing;  ///< on a GPU, unless only checked or wrong
  std::optional<Counters> counters;     ///< on the emulator, unless only checked
  std::vector<LineCounters> lines;      ///< with --explain
};

struct Results {
  Meta meta;
  DeviceFacts device;
  std::vector<Run> runs;
};

/// Meta of this moment and this build.
Meta make_meta(std::vector<std::string> argv, const DeviceFacts& device);

TimingSummary summarize(const Timing& timing, const Problem& problem);

/// Throws std::runtime_error, with a sentence, unless a file can be written there. Leaves nothing behind.
void check_writable(const std::filesystem::path& file);

/// Writes to a temporary file beside it and renames that, so that a reader never sees half a file. Throws
/// std::runtime_error.
void write_results(const Results& results, const std::filesystem::path& file);

/// Throws std::runtime_error that names the file and the field where the file is not of this schema.
Results read_results(const std::filesystem::path& file);

}  // namespace flash_steps
