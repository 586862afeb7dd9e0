#include "harness/predict/predict.h"

#include <algorithm>
#include <cmath>

#include "harness/base/error.h"

namespace flash_steps {
namespace {

// Instructions of a unit in a pass through the loop.
int count(const Program& program, Unit unit) {
  return static_cast<int>(std::count_if(program.loop.begin(), program.loop.end(),
                                        [&](const OrderStep& step) { return program.code[step.index].unit == unit; }));
}

// Passes of one warp each that a CTA's tile takes.
double warp_passes(const Program& program, const TileWork& work) {
  return work.products / count(program, Unit::tensor);
}

// What the emulator counted of a tile, divided by the instructions of it; `ideal` where there are none.
double mean_wavefronts(double wavefronts, const Program& program, const TileWork& work, Unit unit, double ideal) {
  const double instructions = count(program, unit) * warp_passes(program, work);
  return instructions == 0 || wavefronts == 0 ? ideal : wavefronts / instructions;
}

Program order_of(const StoredFunction& function) {
  try {
    return program_of(decode(function.instructions()));
  } catch (const std::runtime_error& error) {
    throw MachineError(function.kernel + " " + function.tile.config + " for " + function.arch + ": " + error.what());
  }
}

std::map<Pipe, double> busy_of(const SmRun& run) {
  constexpr double sub_cores = 4;
  const auto share = [&](double busy, double units) { return busy / units / static_cast<double>(run.cycles); };
  return {{Pipe::tensor, share(static_cast<double>(run.tensor_busy), sub_cores)},
          {Pipe::shared_memory, share(static_cast<double>(run.shared_busy), 1)},
          {Pipe::mufu, share(static_cast<double>(run.mufu_busy), sub_cores)},
          {Pipe::fma, share(static_cast<double>(run.fp32_busy), sub_cores)},
          {Pipe::alu, share(static_cast<double>(run.alu_busy), sub_cores)},
          {Pipe::issue, share(static_cast<double>(run.issued), sub_cores)}};
}

std::array<double, stall_kinds> shares_of(const SmRun& run) {
  std::array<double, stall_kinds> shares{};
  double all = 0;
  for (const StallCycles& cycles : run.by_index) {
    for (int k = 0; k < stall_kinds; k++) {
      shares[k] += static_cast<double>(cycles[k]);
      all += static_cast<double>(cycles[k]);
    }
  }
  for (double& share : shares) share /= all;
  return shares;
}

}  // namespace

const std::vector<Ablation>& all_ablations() {
  static const std::vector<Ablation> ablations{
      {"ports", "reading operands takes no time", [](SmTimings& t) { t.operand_ports = 0; }},
      {"tensor_ports", "an HMMA holds the ports for its registers alone",
       [](SmTimings& t) { t.tensor_port_extra = 0; }},
      {"fills", "copies take no wavefronts of shared memory",
       [](SmTimings& t) {
         t.fill_wavefronts = 0;
         t.copy_wavefronts = 0;
       }},
      {"l2", "copies come at once",
       [](SmTimings& t) {
         t.l2_latency = 0;
         t.dram_latency = 0;
       }},
      {"dram", "what no CTA has read before comes as fast as the rest",
       [](SmTimings& t) { t.dram_latency = t.l2_latency; }},
      {"greedy", "the schedulers take turns", [](SmTimings& t) { t.greedy = 0; }},
      {"barriers", "the warps of a CTA do not wait for each other's last instruction",
       [](SmTimings& t) { t.barrier_latency = 0; }}};
  return ablations;
}

Pipe Prediction::busiest() const {
  return std::max_element(busy.begin(), busy.end(), [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

double baseline_cycles(const Program& program, const TileWork& work, const Rates& rates) {
  constexpr double sub_cores = 4;
  double stalls = 0;
  for (const OrderStep& step : program.loop) stalls += std::max(1, program.code[step.index].control.stall);
  return std::max({1.176 * stalls * warp_passes(program, work) / sub_cores, 1.08 * work.wavefronts() / rates.wavefronts,
                   1.05 * work.products * rates.product_cycles});
}

Predictor::Predictor(StoredSass code, TileWorks works) : code_(std::move(code)), works_(std::move(works)) {}

bool Predictor::has(const std::string& kernel, const std::string& config, const Card& card) const {
  return code_.find(kernel, config, card.arch) != nullptr && works_.contains({kernel, config});
}

Predictor::Prepared Predictor::prepare(const std::string& kernel, const TileShape& tile, const Card& card) const {
  const StoredFunction* const function = code_.find(kernel, tile.config, card.arch);
  const auto work = works_.find({kernel, tile.config});
  if (function == nullptr || work == works_.end()) {
    throw MachineError(kernel + " " + tile.config + " for " + card.arch + " is not in " +
                       (function == nullptr ? code_.file.string() : tile_works_name) +
                       "; a file made anew, as docs/method/prediction.md says, would have it");
  }
  const int resident = resident_ctas(card, function->registers, tile.smem_bytes, tile.threads);
  if (resident == 0) {
    throw MachineError(kernel + " " + tile.config + " does not fit on an SM of the " + card.gpu +
                       "; a config with a smaller tile would");
  }
  Program program = order_of(*function);
  const double ldmatrix = mean_wavefronts(work->second.ldmatrix, program, work->second, Unit::ldmatrix, 4);
  const double fill = mean_wavefronts(work->second.cp_async, program, work->second, Unit::copy, 4);
  const int warps = tile.threads / 32;
  const int products = static_cast<int>(work->second.products) / warps;
  return {CtaProgram(std::move(program), warps, products, ldmatrix, fill), work->second, resident};
}

std::vector<Prediction> Predictor::predict(const Variant& variant, const Card& card,
                                           const std::vector<ClockedProblem>& problems,
                                           const Ablation* ablation) const {
  const TileShape& tile = variant.tile;
  const Prepared prepared = prepare(variant.kernel, tile, card);
  SmTimings timings = timings_of(card.rates());
  if (ablation != nullptr) ablation->apply(timings);
  std::map<std::pair<double, double>, GridTime> grids;  // by what of the grid an SM feels
  const double baseline = baseline_cycles(prepared.cta.program(), prepared.work, card.rates());

  std::vector<Prediction> predictions;
  for (const auto& [problem, sm_clock_mhz] : problems) {
    const std::vector<CtaTiles> ctas = ctas_of(problem, tile);
    const int blocks = (problem.seqlen + tile.tile_rows - 1) / tile.tile_rows;
    const double sharing = static_cast<double>(problem.heads) / problem.key_heads() * blocks;
    const SmTimings in_grid = within_grid(timings, sharing, card.dram_gb_per_s, card.sm_count, sm_clock_mhz);
    GridTime& grid = grids.try_emplace({sharing, sm_clock_mhz}, in_grid, prepared.cta, prepared.resident, card.sm_count)
                         .first->second;
    Prediction& prediction = predictions.emplace_back();
    prediction.kernel = variant.kernel;
    prediction.config = tile.config;
    prediction.card = &card;
    prediction.problem = problem;
    prediction.sm_clock_mhz = sm_clock_mhz;
    prediction.ctas_per_sm = prepared.resident;
    prediction.cycles_of_tile = grid.sm().cycles_of_tile();
    prediction.milliseconds = grid.cycles(ctas) / (sm_clock_mhz * 1e3) + launch_us * 1e-3;
    prediction.tflops = problem.flops() / prediction.milliseconds * 1e-9;
    const double of_card = static_cast<double>(tiles_of(ctas)) / card.sm_count;
    prediction.baseline_tflops = problem.flops() / (baseline * of_card) * sm_clock_mhz * 1e-6;
    prediction.busy = busy_of(grid.sm().longest());
    prediction.stalls = shares_of(grid.sm().longest());
  }
  return predictions;
}

Predictor predictor_of(StoredSass code) { return {std::move(code), read_stored_tile_works()}; }

Predictor read_predictor() { return predictor_of(read_stored_code()); }

}  // namespace flash_steps
