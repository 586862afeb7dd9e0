// The command line, understood.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/measure/settings.h"
#include "harness/predict/predict.h"

namespace flash_steps {

enum class DeviceChoice { automatic, gpu, emulator };

/// What to do with the chosen kernels.
enum class Mode {
  measure,
  check_only,
  profile,
  explain,
  diff,
  list,
  machine_code,
  table,
  errors,
  stale,
  version,
  site,
  completion,
  predict
};

struct Options {
  std::string help;  ///< not empty: print this and stop
  Mode mode = Mode::measure;
  std::string kernels;  ///< as given; see select_kernels
  DeviceChoice device = DeviceChoice::automatic;
  Settings settings;

  std::vector<std::string> archs;             ///< for machine_code, as in sm_80; empty: all that were built
  std::optional<std::filesystem::path> sass;  ///< for machine_code: where the instructions go; for predict: from where
  int host_threads = 0;                       ///< of the emulator; 0: one a core
  uint64_t lane_order = 0;                    ///< of the emulator; see make_emulator
  std::optional<std::filesystem::path> json;
  bool resume = false;  ///< go on with the results file; see resume.h
  bool quiet = false;   ///< verdicts and the summary alone
  bool verbose = false;

  std::vector<const Card*> cards;        ///< for predict, and for explain instead of the emulator's counters
  std::vector<const Ablation*> without;  ///< for predict
  std::optional<double> clock_mhz;       ///< for predict
  std::optional<std::filesystem::path> timeline;

  bool predictions = false;                     ///< for table: with the predicted columns
  bool bounds = false;                          ///< for table: with the columns of the bounds
  std::vector<std::filesystem::path> files;     ///< for table and errors, at most one; empty: those of the project
  std::optional<std::filesystem::path> update;  ///< for both: the page to put it into; for table also a folder
  std::filesystem::path site;                   ///< the folder to make it in
  bool lines = false;                           ///< for machine_code: by source line
  std::string shell;                            ///< for completion

  /// Print the targets of the build that the command needs, and stop: what ./runner asks before it builds.
  bool needs = false;
};

/// Throws UsageError.
Options parse_options(int argc, const char* const* argv);

}  // namespace flash_steps
