// The command line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/contract/problem.h"
#include "harness/contract/registry.h"
#include "harness/machine/backend.h"

namespace flash_steps {

/// The command line was wrong. The runner exits with 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class DeviceChoice { automatic, gpu, emulator };

/// What to do with the chosen kernels.
enum class Mode { measure, check_only, profile, explain, diff, list, machine_code, table, errors };

struct Options {
  std::string help;  ///< not empty: print this and stop
  Mode mode = Mode::measure;
  std::string kernels;  ///< as given; see select_kernels
  DeviceChoice device = DeviceChoice::automatic;
  std::string config;  ///< a name, "all", or empty: all on a GPU, the first that fits on the emulator

  std::vector<std::string> archs;  ///< for machine_code, as in sm_80; empty: all that were built

  // What is left open follows from the backend's default problem.
  std::optional<int> batch;
  std::optional<int> heads;
  std::vector<int> seqlens;
  std::vector<Dtype> dtypes;              ///< each once, in the order given
  std::vector<InputDistribution> inputs;  ///< likewise
  std::optional<uint64_t> seed;

  TimingBudget budget;
  int repeats = 0;                  ///< of check_only: launches whose outputs must be bit-equal; 0: that is not asked
  int host_threads = 0;             ///< of the emulator; 0: one a core
  uint64_t lane_order = 0;          ///< of the emulator; see make_emulator
  std::vector<Baseline> baselines;  ///< each once, in the order given
  std::optional<std::filesystem::path> json;
  bool resume = false;  ///< go on with the results file; see resume.h

  bool bounds = false;                          ///< for table: with the columns of the bounds
  std::vector<std::filesystem::path> files;     ///< for table and errors, at most one; empty: those of the project
  std::optional<std::filesystem::path> update;  ///< for both: the page to put it into; for table also a folder
};

/// Throws UsageError.
Options parse_options(int argc, const char* const* argv);

/// The kernels that a list of names, numbers, ranges ("01-03") or "all" chooses, each once, in the order of the list.
/// Throws UsageError.
std::vector<const Kernel*> select_kernels(const std::string& list, const std::vector<Kernel>& kernels);

}  // namespace flash_steps
