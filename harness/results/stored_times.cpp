#include "harness/results/stored_times.h"

#include <algorithm>
#include <stdexcept>

#include "harness/results/compare.h"
#include "harness/results/folder.h"
#include "harness/results/read.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

struct StoredResults {
  fs::path file;
  Results results;
};

std::vector<StoredResults> read_all(const fs::path& folder) {
  std::vector<StoredResults> all;
  for (const fs::path& file : json_files_in(folder)) {
    try {
      all.push_back({file, read_results(file)});
    } catch (const std::runtime_error&) {
      continue;  // of another schema, say: no reason not to measure
    }
  }
  // The newest first; the dates' form sorts as text.
  std::sort(all.begin(), all.end(),
            [](const StoredResults& a, const StoredResults& b) { return a.results.meta.date > b.results.meta.date; });
  return all;
}

bool is_same_but_for_the_seed(Problem a, const Problem& b) {
  a.seed = b.seed;
  return a == b;
}

struct StoredTime {
  std::string file;
  TimingSummary timing;
};

std::optional<StoredTime> stored_time(const std::vector<StoredResults>& all, const BaselineRun& wanted,
                                      const std::string& device) {
  for (const auto& [file, results] : all) {
    if (results.device.name != device) continue;
    for (const BaselineRun& run : results.baselines) {
      const bool fits = run.baseline == wanted.baseline && is_same_but_for_the_seed(run.problem, wanted.problem);
      if (fits && run.timing) return StoredTime{file.filename().string(), *run.timing};
    }
  }
  return std::nullopt;
}

}  // namespace

void compare_with_stored(std::vector<Run>& runs, const std::vector<BaselineRun>& baselines, const DeviceFacts& device,
                         const fs::path& folder) {
  const auto is_missing = [](const BaselineRun& run) { return run.unavailable.has_value(); };
  if (std::none_of(baselines.begin(), baselines.end(), is_missing)) return;  // reading takes time
  const std::vector<StoredResults> all = read_all(folder);
  for (const BaselineRun& missing : baselines) {
    if (!is_missing(missing)) continue;
    const auto stored = stored_time(all, missing, device.name);
    if (!stored) continue;
    for (Run& run : runs) {
      if (!run.timing || run.problem != missing.problem) continue;
      Comparison comparison = compare_with(stored->timing, *run.timing);
      comparison.paired_percent = std::nullopt;  // of other rounds
      comparison.stored_in = stored->file;
      run.baselines[missing.baseline] = comparison;
    }
  }
}

}  // namespace flash_steps
