#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <tuple>

#include "harness/base/parallel.h"
#include "harness/emulator/cta.h"
#include "harness/emulator/emulator.h"
#include "harness/emulator/memory/counting.h"
#include "harness/emulator/memory/reductions.h"

namespace flash_steps::emulator {
namespace {

constexpr int max_threads = 1024;
constexpr int buffer_alignment = 256;

// Each lane has a stack of its own, and Linux gives a process 65530 mappings by default: two a stack, with its guard.
constexpr int max_lanes_of_all_workers = 16384;

void check(const LaunchConfig& config) {
  if (config.threads < warp_lanes || config.threads > max_threads || config.threads % warp_lanes != 0) {
    throw std::invalid_argument("a CTA cannot have " + std::to_string(config.threads) +
                                " threads; a multiple of 32 up to 1024 works");
  }
  if (config.smem_bytes < 0 || config.smem_bytes % 4 != 0) {
    throw std::invalid_argument("a CTA cannot have " + std::to_string(config.smem_bytes) +
                                " bytes of shared memory; a multiple of 4 works");
  }
  if (config.grid_x < 1 || config.grid_y < 1 || config.grid_z < 1) {
    throw std::invalid_argument("a grid of " + std::to_string(config.grid_x) + "x" + std::to_string(config.grid_y) +
                                "x" + std::to_string(config.grid_z) + " has no CTA; 1x1x1 is the smallest");
  }
  const int64_t ctas = int64_t{config.grid_x} * config.grid_y * config.grid_z;
  if (config.first_cta < 0 || config.first_cta >= ctas) {
    throw std::invalid_argument("a grid of " + std::to_string(ctas) + " CTAs has none of number " +
                                std::to_string(config.first_cta) + "; 0 is the first");
  }
  for (const GlobalBuffer& buffer : config.buffers) {
    if (reinterpret_cast<uintptr_t>(buffer.data) % buffer_alignment != 0) {
      throw std::invalid_argument("buffer " + buffer.name + " is not aligned to 256 bytes, as a GPU's would be");
    }
  }
}

int worker_count(const LaunchConfig& config, int64_t ctas) {
  int64_t workers = config.host_threads > 0 ? config.host_threads : cores();
  workers = std::min({workers, ctas, int64_t{max_lanes_of_all_workers} / config.threads});
  return static_cast<int>(std::max<int64_t>(workers, 1));
}

// Hands out the CTAs of a grid, x fastest, until all are taken or one has thrown.
class Grid {
 public:
  explicit Grid(const LaunchConfig& config)
      : config_(config),
        ctas_(int64_t{config.grid_x} * config.grid_y * config.grid_z),
        next_(config.first_cta),
        reductions_(config.first_cta) {}

  int64_t ctas_to_run() const { return ctas_ - config_.first_cta; }

  void run(const std::function<void()>& thread_body, std::unique_ptr<Cta>& cta) {
    int64_t number = -1;
    try {
      cta = std::make_unique<Cta>(config_, thread_body);
      while (!failed_ && (number = next_++) < ctas_) {
        cta->run(index(number), number);
        reductions_.hand_over(number, cta->take_additions());
      }
    } catch (...) {
      failed_ = true;
      const std::lock_guard lock(mutex_);
      if (error_ == nullptr || number < error_cta_) {
        error_ = std::current_exception();
        error_cta_ = number;
      }
    }
    if (cta) cta->dismiss();
  }

  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

  Dim3 index(int64_t number) const {
    const int64_t row = number / config_.grid_x;
    return {static_cast<unsigned>(number % config_.grid_x), static_cast<unsigned>(row % config_.grid_y),
            static_cast<unsigned>(row / config_.grid_y)};
  }

 private:
  const LaunchConfig& config_;
  const int64_t ctas_;
  std::atomic<int64_t> next_;
  Reductions reductions_;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  std::exception_ptr error_;
  int64_t error_cta_ = 0;
};

using Workers = std::vector<std::unique_ptr<Cta>>;

// The counters of each line, brought together from all workers.
std::vector<LineCounters> lines_of(const Workers& workers) {
  std::map<std::tuple<std::string_view, int, std::string_view>, AccessCounters> lines;
  for (const auto& worker : workers) {
    worker->lines().for_each([&](const Site& site) {
      lines[{site.line.file, site.line.line, name_of(site.word)}] += site.counters;
    });
  }
  std::vector<LineCounters> list;
  for (const auto& [place, counters] : lines) {
    const auto& [file, line, word] = place;
    list.push_back({std::string(file), line, std::string(word), counters.instructions, counters.wavefronts,
                    counters.ideal_wavefronts, counters.sectors});
  }
  return list;
}

// A case for each word: long, and nothing to look for in it.
void add(Counters& counters, const Site& site) {  // NOLINT(readability-function-size)
  switch (site.word) {
    case Word::cp_async_16:
    case Word::cp_async_16_prefetch_128:  // a hint does not change what is counted
    case Word::cp_async_16_or_zeros:
      counters.cp_async += site.counters;
      break;
    case Word::ldmatrix_x4:
    case Word::ldmatrix_x4_trans:
    case Word::wmma_load_a:  // what they become in machine code
    case Word::wmma_load_b_row:
    case Word::wmma_load_b_col:
      counters.ldmatrix += site.counters;
      break;
    case Word::ld_shared_4:
    case Word::ld_shared_8:
    case Word::ld_shared_16:
      counters.shared_load += site.counters;
      break;
    case Word::st_shared_4:
    case Word::st_shared_8:
    case Word::st_shared_16:
    case Word::wmma_store_d:
      counters.shared_store += site.counters;
      break;
    case Word::ld_global_4:
    case Word::ld_global_16:
      counters.global_load += site.counters;
      break;
    case Word::st_global_4:
    case Word::st_global_16:
    case Word::st_global_16_no_allocate:
    case Word::st_global_16_no_allocate_if:
    case Word::st_global_4_if:
      counters.global_store += site.counters;
      break;
    case Word::red_global_add:
      counters.reduction_instructions += site.counters.instructions;
      counters.reduction_sectors += site.counters.sectors;
      break;
    case Word::mma_fp16:
    case Word::mma_bf16:
    case Word::wmma_mma_fp16:
    case Word::wmma_mma_bf16:
      counters.mma_instructions += site.counters.instructions;
      break;
    case Word::shfl_xor:
      counters.shuffle_instructions += site.counters.instructions;
      break;
    case Word::any_of_warp:
      counters.vote_instructions += site.counters.instructions;
      counters.votes_won += site.votes_won;
      break;
    case Word::barrier:
      counters.barrier_instructions += site.counters.instructions;
      break;
    case Word::stmatrix_x4:
      counters.stmatrix_instructions += site.counters.instructions;
      counters.stmatrix_wavefronts += site.counters.wavefronts;
      break;
    case Word::named_barrier_sync:
    case Word::named_barrier_arrive:
      counters.barrier_instructions += site.counters.instructions;
      break;
    case Word::wgmma_fp16:
    case Word::wgmma_bf16:
    case Word::wgmma_trans_fp16:
    case Word::wgmma_trans_bf16:
      counters.wgmma_instructions += site.counters.instructions;
      break;
    case Word::tma_load:
      counters.tma_load_instructions += site.counters.instructions;
      counters.tma_load_sectors += site.counters.sectors;
      break;
    case Word::tma_store:
      counters.tma_store_instructions += site.counters.instructions;
      counters.tma_store_sectors += site.counters.sectors;
      break;
    default:  // what waits, commits and fences moves nothing
      break;
  }
}

// Bytes of the sectors that any worker touched.
uint64_t distinct_bytes(const Workers& workers, const std::vector<SectorSet>& (GlobalMemory::*touched)() const) {
  std::vector<SectorSet> all = (workers[0]->global().*touched)();
  uint64_t sectors = 0;
  for (size_t b = 0; b < all.size(); b++) {
    for (size_t w = 1; w < workers.size(); w++) all[b].add((workers[w]->global().*touched)()[b]);
    sectors += all[b].count();
  }
  return sectors * sector_bytes;
}

Counters counters_of(const Workers& workers) {
  Counters counters;
  for (const auto& worker : workers) {
    worker->lines().for_each([&](const Site& site) { add(counters, site); });
  }
  counters.hbm_bytes_read = distinct_bytes(workers, &GlobalMemory::sectors_read);
  counters.hbm_bytes_written = distinct_bytes(workers, &GlobalMemory::sectors_written);
  return counters;
}

int64_t touched_smem_bytes(const Workers& workers) {
  int64_t touched = 0;
  for (const auto& worker : workers) touched = std::max(touched, worker->touched_smem_bytes());
  return touched;
}

std::vector<Hazard> hazards_of(const Grid& grid, const Workers& workers) {
  std::vector<HazardLog::Entry> entries;
  std::vector<const GlobalMemory*> memories;
  for (const auto& worker : workers) {
    const auto& found = worker->hazards().entries();
    entries.insert(entries.end(), found.begin(), found.end());
    memories.push_back(&worker->global());
  }
  const auto conflicts = cta_conflicts(memories, [&](int64_t number) { return grid.index(number); });
  entries.insert(entries.end(), conflicts.begin(), conflicts.end());
  return merge(std::move(entries));
}

// For the launches that follow.
void mark_written(std::span<const GlobalBuffer> buffers, const Workers& workers) {
  for (size_t b = 0; b < buffers.size(); b++) {
    if (buffers[b].written == nullptr) continue;
    for (const auto& worker : workers) worker->global().writes()[b].mark(*buffers[b].written);
  }
}

}  // namespace

LaunchReport launch(const LaunchConfig& config, const std::function<void()>& thread_body) {
  check(config);
  Grid grid(config);
  Workers workers(worker_count(config, grid.ctas_to_run()));
  on_workers(static_cast<int>(workers.size()), [&](int w) { grid.run(thread_body, workers[w]); });
  grid.rethrow();
  std::erase(workers, nullptr);  // those for which there was no thread
  mark_written(config.buffers, workers);
  return {counters_of(workers), lines_of(workers), hazards_of(grid, workers), touched_smem_bytes(workers)};
}

}  // namespace flash_steps::emulator
