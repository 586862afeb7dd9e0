#include "harness/predict/grid.h"

#include <algorithm>

namespace flash_steps {
namespace {

constexpr int fewer_tiles = 8;
constexpr int more_tiles = 20;
constexpr int fewer_rounds = 3;
constexpr int more_rounds = 9;

}  // namespace

CtaProgram::CtaProgram(Program program, int warps, int products_of_tile, double ldmatrix_wavefronts,
                       double fill_wavefronts)
    : program_(std::move(program)),
      warps_(warps),
      products_of_tile_(products_of_tile),
      ldmatrix_wavefronts_(ldmatrix_wavefronts),
      fill_wavefronts_(fill_wavefronts) {}

Schedule CtaProgram::schedule(int tiles) const {
  return schedule_of(program_,
                     {warps_, program_.passes(tiles, products_of_tile_), ldmatrix_wavefronts_, fill_wavefronts_});
}

SmTime::SmTime(const SmTimings& timings, CtaProgram cta, int resident)
    : timings_(timings), cta_(std::move(cta)), resident_(resident) {}

const SmRun& SmTime::run(int rounds, int tiles) {
  const auto known = runs_.find({rounds, tiles});
  if (known != runs_.end()) return known->second;
  const SmRun run = run_sm(timings_, cta_.schedule(tiles), resident_, rounds * resident_);
  return runs_.emplace(std::pair{rounds, tiles}, run).first->second;
}

// By how much one more CTA of so many tiles lengthens a run.
double SmTime::cycles_of_cta(int tiles) {
  const double longer = static_cast<double>(run(more_rounds, tiles).cycles - run(fewer_rounds, tiles).cycles);
  return longer / ((more_rounds - fewer_rounds) * resident_);
}

double SmTime::cycles(int ctas, int tiles) {
  if (ctas <= 5 * resident_ && tiles <= more_tiles) {
    return static_cast<double>(run_sm(timings_, cta_.schedule(tiles), std::min(resident_, ctas), ctas).cycles);
  }
  const double beyond = static_cast<double>(tiles - fewer_tiles) / (more_tiles - fewer_tiles);
  const auto extended = [&](double fewer, double more) { return fewer + beyond * (more - fewer); };
  const double first_rounds = extended(static_cast<double>(run(fewer_rounds, fewer_tiles).cycles),
                                       static_cast<double>(run(fewer_rounds, more_tiles).cycles));
  return first_rounds +
         (ctas - fewer_rounds * resident_) * extended(cycles_of_cta(fewer_tiles), cycles_of_cta(more_tiles));
}

double SmTime::cycles_of_tile() {
  return (cycles_of_cta(more_tiles) - cycles_of_cta(fewer_tiles)) / (more_tiles - fewer_tiles);
}

const SmRun& SmTime::longest() { return run(more_rounds, more_tiles); }

SmTimings within_grid(SmTimings timings, double sharing, double dram_gb_per_s, int sm_count, double sm_clock_mhz) {
  const double from_dram = std::min(1.0, leading_ctas / sharing);
  timings.l2_latency += from_dram * (timings.dram_latency - timings.l2_latency);
  timings.dram_bytes = dram_gb_per_s * 1e3 / sm_count / sm_clock_mhz;
  return timings;
}

int most_ctas(int64_t ctas, int sm_count) { return static_cast<int>((ctas + sm_count - 1) / sm_count); }

}  // namespace flash_steps
