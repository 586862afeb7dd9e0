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

// What a launch counts of a word, and where it goes. What is in neither list waits, commits or fences, and moves
// nothing.
struct CountedAccess {
  Word word;
  AccessCounters Counters::*sum;
};
constexpr CountedAccess counted_accesses[] = {
    {Word::cp_async_16, &Counters::cp_async},
    {Word::cp_async_16_prefetch_128, &Counters::cp_async},  // a hint does not change what is counted
    {Word::cp_async_16_or_zeros, &Counters::cp_async},
    {Word::ldmatrix_x4, &Counters::ldmatrix},
    {Word::ldmatrix_x4_trans, &Counters::ldmatrix},
    {Word::wmma_load_a, &Counters::ldmatrix},  // what they become in machine code
    {Word::wmma_load_b_row, &Counters::ldmatrix},
    {Word::wmma_load_b_col, &Counters::ldmatrix},
    {Word::ld_shared_4, &Counters::shared_load},
    {Word::ld_shared_8, &Counters::shared_load},
    {Word::ld_shared_16, &Counters::shared_load},
    {Word::st_shared_4, &Counters::shared_store},
    {Word::st_shared_8, &Counters::shared_store},
    {Word::st_shared_16, &Counters::shared_store},
    {Word::wmma_store_d, &Counters::shared_store},
    {Word::ld_global_4, &Counters::global_load},
    {Word::ld_global_16, &Counters::global_load},
    {Word::st_global_4, &Counters::global_store},
    {Word::st_global_16, &Counters::global_store},
    {Word::st_global_16_no_allocate, &Counters::global_store},
    {Word::st_global_16_no_allocate_if, &Counters::global_store},
    {Word::st_global_4_if, &Counters::global_store},
};

struct CountedNumber {
  Word word;
  uint64_t AccessCounters::*number;
  uint64_t Counters::*sum;
};
constexpr CountedNumber counted_numbers[] = {
    {Word::mma_fp16, &AccessCounters::instructions, &Counters::mma_instructions},
    {Word::mma_bf16, &AccessCounters::instructions, &Counters::mma_instructions},
    {Word::wmma_mma_fp16, &AccessCounters::instructions, &Counters::mma_instructions},
    {Word::wmma_mma_bf16, &AccessCounters::instructions, &Counters::mma_instructions},
    {Word::shfl_xor, &AccessCounters::instructions, &Counters::shuffle_instructions},
    {Word::any_of_warp, &AccessCounters::instructions, &Counters::vote_instructions},
    {Word::barrier, &AccessCounters::instructions, &Counters::barrier_instructions},
    {Word::named_barrier_sync, &AccessCounters::instructions, &Counters::barrier_instructions},
    {Word::named_barrier_arrive, &AccessCounters::instructions, &Counters::barrier_instructions},
    {Word::stmatrix_x4, &AccessCounters::instructions, &Counters::stmatrix_instructions},
    {Word::stmatrix_x4, &AccessCounters::wavefronts, &Counters::stmatrix_wavefronts},
    {Word::wgmma_fp16, &AccessCounters::instructions, &Counters::wgmma_instructions},
    {Word::wgmma_bf16, &AccessCounters::instructions, &Counters::wgmma_instructions},
    {Word::wgmma_trans_fp16, &AccessCounters::instructions, &Counters::wgmma_instructions},
    {Word::wgmma_trans_bf16, &AccessCounters::instructions, &Counters::wgmma_instructions},
    {Word::red_global_add, &AccessCounters::instructions, &Counters::reduction_instructions},
    {Word::red_global_add, &AccessCounters::sectors, &Counters::reduction_sectors},
    {Word::tma_load, &AccessCounters::instructions, &Counters::tma_load_instructions},
    {Word::tma_load, &AccessCounters::sectors, &Counters::tma_load_sectors},
    {Word::tma_store, &AccessCounters::instructions, &Counters::tma_store_instructions},
    {Word::tma_store, &AccessCounters::sectors, &Counters::tma_store_sectors},
};

void add(Counters& counters, const Site& site) {
  for (const CountedAccess& counted : counted_accesses) {
    if (counted.word == site.word) counters.*counted.sum += site.counters;
  }
  for (const CountedNumber& counted : counted_numbers) {
    if (counted.word == site.word) counters.*counted.sum += site.counters.*counted.number;
  }
  counters.votes_won += site.votes_won;
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
