#include "harness/model/bound.h"

#include <algorithm>

namespace flash_steps {
namespace {

constexpr double lanes = 32;  // of a warp

double sum(const InstructionCounts& counts, std::initializer_list<const char*> names) {
  double total = 0;
  for (const char* name : names) total += counts.at(name);
  return total;
}

bool needs_less(const std::pair<const Pipe, double>& a, const std::pair<const Pipe, double>& b) {
  return a.second < b.second;
}

}  // namespace

const char* name_of(Pipe pipe) {
  switch (pipe) {
    case Pipe::tensor:
      return "tensor";
    case Pipe::shared_memory:
      return "shared memory";
    case Pipe::l1_tags:
      return "L1 tags";
    case Pipe::mufu:
      return "MUFU";
    case Pipe::fma:
      return "FMA";
    case Pipe::alu:
      return "ALU";
    case Pipe::issue:
      return "issue";
  }
  return "";
}

TileWork tile_work(const CountedLaunch& shorter, const CountedLaunch& longer, double flop) {
  const auto a_tile = [&](auto count) {
    const double difference = static_cast<double>(count(longer.counters)) / longer.ctas -
                              static_cast<double>(count(shorter.counters)) / shorter.ctas;
    return difference / (longer.tiles - shorter.tiles);
  };
  return {flop,
          a_tile([](const Counters& c) { return c.mma_instructions; }),
          a_tile([](const Counters& c) { return c.ldmatrix.wavefronts; }),
          a_tile([](const Counters& c) { return c.cp_async.wavefronts; }),
          a_tile([](const Counters& c) { return c.shared_load.wavefronts; }),
          a_tile([](const Counters& c) { return c.shared_store.wavefronts; }),
          a_tile([](const Counters& c) { return c.global_load.tags; })};
}

Bound bound(const TileWork& work, const InstructionCounts* main_loop, const Rates& rates) {
  Bound bound;
  std::map<Pipe, double>& cycles = bound.cycles;
  cycles[Pipe::tensor] = work.products * rates.product_cycles;
  cycles[Pipe::shared_memory] = work.wavefronts() / rates.wavefronts;
  if (work.tags > 0) cycles[Pipe::l1_tags] = work.tags / rates.tags;
  // The warps' instructions that multiply, one of which the loop has so often.
  const double multiplied = work.products > 0 ? work.products : work.flop / (2 * lanes);
  const double in_loop = main_loop == nullptr ? 0 : main_loop->at(work.products > 0 ? "HMMA" : "FFMA");
  if (in_loop > 0) {
    const InstructionCounts& loop = *main_loop;
    const double passes = multiplied / in_loop;  // of one warp each
    const double imad = sum(loop, {"IMAD"});
    cycles[Pipe::mufu] = sum(loop, {"MUFU"}) * passes * lanes / rates.mufu_lanes;
    cycles[Pipe::fma] =
        std::max((sum(loop, {"FFMA", "FADD", "FMUL"}) + imad) / rates.float_lanes, imad / rates.imad_lanes) * passes *
        lanes;
    cycles[Pipe::alu] = sum(loop, {"IADD3", "LOP3", "SHF", "LEA", "FMNMX"}) * passes * lanes / rates.alu_lanes;
    cycles[Pipe::issue] = sum(loop, {"total"}) * passes / rates.issued_warps;
  } else if (work.products == 0) {
    cycles[Pipe::fma] = multiplied * lanes / rates.float_lanes;
  }
  bound.pipe = std::max_element(cycles.begin(), cycles.end(), needs_less)->first;
  bound.percent_of_peak = 100 * (work.flop / rates.flop()) / cycles[bound.pipe];
  return bound;
}

}  // namespace flash_steps
