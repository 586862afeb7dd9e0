#include "harness/predict/measured_pipes.h"

#include <algorithm>
#include <set>

#include "harness/base/json.h"
#include "harness/results/folder.h"

namespace flash_steps {
namespace {

constexpr const char* pipes_schema = "flash-steps/pipes/1";

PairOfPipes pair_of(const JsonNode& row) {
  PairOfPipes pair;
  pair.first = row["first"].get<std::string>();
  pair.second = row["second"].get<std::string>();
  pair.first_warps = row["first_warps"].get<int>();
  pair.second_warps = row["second_warps"].get<int>();
  pair.first_cycles = row["first_cycles"].get<double>();
  pair.second_cycles = row["second_cycles"].get<double>();
  return pair;
}

}  // namespace

const PairOfPipes* MeasuredPipes::find(const std::string& first, const std::string& second, int first_warps) const {
  const auto found = std::find_if(pairs.begin(), pairs.end(), [&](const PairOfPipes& pair) {
    return pair.first == first && pair.second == second && pair.first_warps == first_warps;
  });
  return found == pairs.end() ? nullptr : &*found;
}

MeasuredPipes read_measured_pipes(const std::filesystem::path& file) {
  const JsonFile json(file, {pipes_schema});
  MeasuredPipes measured;
  measured.device = json.root()["device"].get<std::string>();
  for (const JsonNode& row : json.root()["pairs"].elements()) measured.pairs.push_back(pair_of(row));
  for (const JsonNode& row : json.root()["latencies"].elements()) {
    measured.latencies[row["what"].get<std::string>()] = row["cycles"].get<double>();
  }
  measured.l2_bytes_per_cycle = json.root()["l2_bytes_per_cycle"].get<double>();
  return measured;
}

std::vector<MeasuredPipes> read_stored_pipes() {
  std::set<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(stored_results())) {
    if (entry.path().filename().string().ends_with("_pipes.json")) files.insert(entry.path());
  }
  std::vector<MeasuredPipes> measured;
  for (const std::filesystem::path& file : files) measured.push_back(read_measured_pipes(file));
  return measured;
}

}  // namespace flash_steps
