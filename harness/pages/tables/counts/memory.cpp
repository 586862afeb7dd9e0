#include "harness/pages/tables/counts/memory.h"

#include <algorithm>

#include "harness/base/text.h"
#include "harness/pages/tables/markdown.h"

namespace flash_steps {
namespace {

constexpr uint64_t element_bytes = 2;
constexpr uint64_t sector_bytes = 32;

uint64_t heads_of(const Problem& problem) { return uint64_t(problem.batch) * problem.heads; }

std::string mebibytes(int64_t bytes) { return fixed(bytes / 1048576.0, 1); }

std::string memory_cell(const Results& results, Baseline baseline, const Problem& problem) {
  for (const BaselineRun& run : results.baselines) {
    if (run.baseline != baseline || run.problem != problem) continue;
    if (run.unavailable) return run.out_of_memory ? "out of memory" : nothing;
    return run.memory ? mebibytes(run.memory->peak_bytes()) : nothing;
  }
  return nothing;
}

}  // namespace

uint64_t standard_traffic_bytes(const Problem& problem) {
  const uint64_t n = problem.seqlen;
  return heads_of(problem) * (4 * n * n + 4 * n * problem.head_dim) * element_bytes;
}

uint64_t tiled_read_bytes(const Problem& problem, int tile_rows) {
  const uint64_t n = problem.seqlen;
  const uint64_t q = n * problem.head_dim;
  const uint64_t k_and_v = n / tile_rows * 2 * n * problem.head_dim;
  return heads_of(problem) * (q + k_and_v) * element_bytes;
}

uint64_t tiled_written_bytes(const Problem& problem) { return static_cast<uint64_t>(problem.bytes()); }

uint64_t counted_read_bytes(const Counters& counters) {
  return (counters.cp_async.sectors + counters.global_load.sectors) * sector_bytes;
}

uint64_t counted_written_bytes(const Counters& counters) { return counters.global_store.sectors * sector_bytes; }

std::string render_traffic(const Results& results) {
  std::vector<const Run*> runs;
  for (const Run& run : results.runs) {
    if (run.counters) runs.push_back(&run);
  }
  std::stable_sort(runs.begin(), runs.end(), [](const Run* a, const Run* b) { return a->kernel < b->kernel; });

  std::string table =
      markdown_head({"step", "config", "seqlen", "read", "written", "distinct", "standard would move"}, 2);
  for (const Run* run : runs) {
    const Counters& counters = *run->counters;
    table += markdown_row({run->kernel, run->config, std::to_string(run->problem.seqlen),
                           grouped(counted_read_bytes(counters)), grouped(counted_written_bytes(counters)),
                           grouped(counters.hbm_bytes_read + counters.hbm_bytes_written),
                           grouped(standard_traffic_bytes(run->problem))});
  }
  return table;
}

std::string render_memory(const Results& results) {
  std::string table = markdown_head({"seqlen", "kernel", "FlashAttention-2", "cuDNN", "standard"}, 1);
  std::vector<Problem> seen;
  for (const Run& run : results.runs) {
    if (!run.memory || std::find(seen.begin(), seen.end(), run.problem) != seen.end()) continue;
    seen.push_back(run.problem);
    table += markdown_row({std::to_string(run.problem.seqlen), mebibytes(run.memory->peak_bytes()),
                           memory_cell(results, Baseline::fa2, run.problem),
                           memory_cell(results, Baseline::cudnn, run.problem),
                           memory_cell(results, Baseline::standard, run.problem)});
  }
  return table;
}

}  // namespace flash_steps
