#include "harness/predict/grid.h"

#include <algorithm>

namespace flash_steps {
namespace {

constexpr int fewer_tiles = 8;
constexpr int more_tiles = 20;
constexpr int fewer_rounds = 3;
constexpr int more_rounds = 9;

// Between and beyond the two numbers of tiles that are simulated.
double extended(int tiles, double fewer, double more) {
  return fewer + static_cast<double>(tiles - fewer_tiles) / (more_tiles - fewer_tiles) * (more - fewer);
}

}  // namespace

CtaProgram::CtaProgram(Program program, int warps, int products_of_tile, double ldmatrix_wavefronts,
                       double fill_wavefronts)
    : program_(std::move(program)),
      warps_(warps),
      products_of_tile_(products_of_tile),
      ldmatrix_wavefronts_(ldmatrix_wavefronts),
      fill_wavefronts_(fill_wavefronts) {}

Schedule CtaProgram::schedule(int tiles, int masked) const { return schedule(std::vector{CtaTiles{tiles, masked}}); }

Schedule CtaProgram::schedule(const std::vector<CtaTiles>& ctas) const {
  std::vector<Passes> passes;
  for (const CtaTiles& cta : ctas) passes.push_back(program_.passes(cta.tiles, products_of_tile_, cta.masked));
  return schedule_of(program_, {warps_, passes, ldmatrix_wavefronts_, fill_wavefronts_});
}

SmTime::SmTime(const SmTimings& timings, CtaProgram cta, int resident, bool mixed)
    : timings_(timings), cta_(std::move(cta)), resident_(resident), mixed_(mixed) {}

const SmRun& SmTime::run(int rounds, int tiles, int masked) {
  const auto known = runs_.find({rounds, tiles, masked});
  if (known != runs_.end()) return known->second;
  std::vector<CtaTiles> ctas{{tiles, masked}};
  if (mixed_) ctas = {{tiles + tiles / 2, masked}, {tiles - tiles / 2, masked}, {tiles, masked}};
  const SmRun run = run_sm(timings_, cta_.schedule(ctas), resident_, rounds * resident_);
  return runs_.emplace(std::tuple{rounds, tiles, masked}, run).first->second;
}

double SmTime::simulated_cycles_of_cta(int tiles, int masked) {
  const double longer =
      static_cast<double>(run(more_rounds, tiles, masked).cycles - run(fewer_rounds, tiles, masked).cycles);
  return longer / ((more_rounds - fewer_rounds) * resident_);
}

double SmTime::cycles_of_cta(const CtaTiles& cta) {
  const double fewer = simulated_cycles_of_cta(fewer_tiles, cta.masked);
  return extended(cta.tiles, fewer, simulated_cycles_of_cta(more_tiles, cta.masked));
}

double SmTime::cycles_of_first_rounds(const CtaTiles& cta) {
  const double fewer = static_cast<double>(run(fewer_rounds, fewer_tiles, cta.masked).cycles);
  return extended(cta.tiles, fewer, static_cast<double>(run(fewer_rounds, more_tiles, cta.masked).cycles));
}

double SmTime::cycles_around(const CtaTiles& cta) {
  return cycles_of_first_rounds(cta) - fewer_rounds * resident_ * cycles_of_cta(cta);
}

double SmTime::cycles(int ctas, const CtaTiles& cta) {
  if (ctas <= 5 * resident_ && cta.tiles <= more_tiles) {
    const Schedule schedule = cta_.schedule(cta.tiles, cta.masked);
    return static_cast<double>(run_sm(timings_, schedule, std::min(resident_, ctas), ctas).cycles);
  }
  return cycles_of_first_rounds(cta) + (ctas - fewer_rounds * resident_) * cycles_of_cta(cta);
}

double SmTime::cycles_of_tile() {
  return (simulated_cycles_of_cta(more_tiles, 0) - simulated_cycles_of_cta(fewer_tiles, 0)) /
         (more_tiles - fewer_tiles);
}

const SmRun& SmTime::longest() { return run(more_rounds, more_tiles, 0); }

GridTime::GridTime(const SmTimings& timings, const CtaProgram& cta, int resident, int sm_count)
    : mixed_(timings, cta, resident, true), sm_count_(sm_count) {
  for (int count = 1; count <= resident; count++) sms_.emplace_back(timings, cta, count);
}

double GridTime::cycles(const std::vector<CtaTiles>& ctas) {
  const auto is_first = [&](const CtaTiles& cta) { return cta == ctas.front(); };
  if (std::all_of(ctas.begin(), ctas.end(), is_first)) {
    return sm().cycles(most_ctas(static_cast<int64_t>(ctas.size()), sm_count_), ctas.front());
  }
  std::vector<double> work, speeds;
  for (const CtaTiles& cta : ctas) work.push_back(mixed_.cycles_of_cta(cta));
  for (SmTime& fewer : sms_) speeds.push_back(sm().cycles_of_tile() / fewer.cycles_of_tile());
  return cycles_until_done(work, sm_count_, speeds) + sm().cycles_around(ctas.front());
}

SmTimings within_grid(SmTimings timings, double sharing, double dram_gb_per_s, int sm_count, double sm_clock_mhz) {
  const double from_dram = std::min(1.0, leading_ctas / sharing);
  timings.l2_latency += from_dram * (timings.dram_latency - timings.l2_latency);
  timings.dram_bytes = dram_gb_per_s * 1e3 / sm_count / sm_clock_mhz;
  return timings;
}

int most_ctas(int64_t ctas, int sm_count) { return static_cast<int>((ctas + sm_count - 1) / sm_count); }

}  // namespace flash_steps
