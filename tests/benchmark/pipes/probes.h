// What the predictor assumes of an SM, measured on one: how often a unit takes an instruction, alone and beside another
// unit of the same sub-core, and how long a result takes.
#pragma once

#include <string>
#include <vector>

namespace flash_steps::pipes {

/// Warps 0 to 3 of a CTA, one a sub-core, execute one kind of instruction over and over; the warps behind them another.
struct PairRow {
  std::string first, second;  ///< "hmma_fresh", "ffma"; empty: nothing
  int first_warps = 0;        ///< a sub-core
  int second_warps = 0;
  double first_cycles = 0;   ///< of a sub-core for one instruction of the first kind
  double second_cycles = 0;  ///< likewise; 0 where there is none
};

/// Cycles from an instruction to the one that needs its result, or that a barrier or a copy takes.
struct LatencyRow {
  std::string what;
  double cycles = 0;
};

struct L2Row {
  double bytes_per_cycle = 0;  ///< and SM, when all SMs copy from L2
};

/// All work of a launch is done, and its arrays are on the host, when these return. They throw as check_cuda() does.
std::vector<PairRow> measure_pairs();
std::vector<LatencyRow> measure_latencies();
L2Row measure_l2(int sm_count);

}  // namespace flash_steps::pipes
