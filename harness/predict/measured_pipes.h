// What scripts/measure_pipes.sh measured of an SM: how often its pipes take an instruction, alone and beside another.
// Schema "flash-steps/pipes/1", docs/results/*_pipes.json.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace flash_steps {

/// Some warps of each sub-core execute one kind of instruction, others a second kind.
struct PairOfPipes {
  std::string first;
  std::string second;  ///< empty: the first kind alone
  int first_warps = 0;
  int second_warps = 0;
  double first_cycles = 0;  ///< of a sub-core, for one instruction of any of its warps
  double second_cycles = 0;
};

struct MeasuredPipes {
  std::string device;  ///< "NVIDIA H100 80GB HBM3"
  std::vector<PairOfPipes> pairs;
  std::map<std::string, double> latencies;  ///< in cycles, by what is waited for
  double l2_bytes_per_cycle = 0;            ///< of one SM, when all ask

  /// Of so many warps of the first kind a sub-core, beside one of the second; nullptr if this was not measured.
  /// `second`: empty for the first kind alone.
  const PairOfPipes* find(const std::string& first, const std::string& second, int first_warps = 1) const;
};

/// Throws std::runtime_error that names the file and the field.
MeasuredPipes read_measured_pipes(const std::filesystem::path& file);

/// Those of docs/results, by the name of the file.
std::vector<MeasuredPipes> read_stored_pipes();

}  // namespace flash_steps
