#include "harness/predict/grid.h"

#include <algorithm>

namespace flash_steps {
namespace {

// The two lengths that are simulated, in tiles, and the full rounds of CTAs; a longer CTA repeats its tiles, and a
// larger grid its rounds.
constexpr int fewer_tiles = 8;
constexpr int more_tiles = 24;
constexpr int full_rounds = 4;

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

SmTime::SmTime(const SmTimings& timings, const CtaProgram& cta, int resident)
    : timings_(timings), cta_(cta), resident_(resident) {}

const SmTime::Rounds& SmTime::rounds(int left_over, int tiles) {
  const auto known = rounds_.find({left_over, tiles});
  if (known != rounds_.end()) return known->second;
  const int simulated = full_rounds * resident_ + left_over;
  Rounds rounds;
  rounds.run = run_sm(timings_, cta_.schedule(tiles), resident_, simulated);
  rounds.total = static_cast<double>(rounds.run.cycles);
  // The last round runs beside places that are empty already, and the first one fills an empty SM.
  const int first = resident_ - 1, last = (full_rounds - 1) * resident_ - 1;
  rounds.of_cta = static_cast<double>(rounds.run.finished[last] - rounds.run.finished[first]) / (last - first);
  return rounds_.emplace(std::pair{left_over, tiles}, std::move(rounds)).first->second;
}

double SmTime::cycles(int ctas, int tiles) {
  if (ctas <= full_rounds * resident_ && tiles <= more_tiles) {
    return static_cast<double>(run_sm(timings_, cta_.schedule(tiles), std::min(resident_, ctas), ctas).cycles);
  }
  const int left_over = ctas % resident_;
  const Rounds& fewer = rounds(left_over, fewer_tiles);
  const Rounds& more = rounds(left_over, more_tiles);
  const double beyond = static_cast<double>(tiles - fewer_tiles) / (more_tiles - fewer_tiles);
  const double total = fewer.total + beyond * (more.total - fewer.total);
  const double of_cta = fewer.of_cta + beyond * (more.of_cta - fewer.of_cta);
  return total + of_cta * (ctas - full_rounds * resident_ - left_over);
}

double SmTime::cycles_of_tile() {
  return (rounds(0, more_tiles).of_cta - rounds(0, fewer_tiles).of_cta) / (more_tiles - fewer_tiles);
}

const SmRun& SmTime::longest() { return rounds(0, more_tiles).run; }

int most_ctas(int64_t ctas, int sm_count) { return static_cast<int>((ctas + sm_count - 1) / sm_count); }

}  // namespace flash_steps
