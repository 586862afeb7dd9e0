// How long the units of an SM take, in cycles: the one table that the model of an SM is made of.
#pragma once

#include <string>
#include <vector>

#include "harness/model/rates.h"

namespace flash_steps {

/// Cycles, unless it says otherwise. An interval is the least distance between two instructions of a unit, of one
/// sub-core (a quarter of an SM); a latency is from the start of service to the release of the barrier.
struct SmTimings {
  // Units of a sub-core.
  double tensor_interval = 0;
  bool two_fp32_halves = true;  ///< FFMA, FADD and FMUL may go to either of two ports; IMAD to one of them
  double half_interval = 2;     ///< of one fp32 port, and of IMAD
  double alu_interval = 2;
  double mufu_interval = 8;
  double mufu_latency = 18;
  double mufu_ahead = 2;         ///< instructions that may wait before the unit
  double operand_ports = 1;      ///< 0: reading operands takes no time
  double tensor_port_extra = 0;  ///< that an HMMA holds the ports beyond the registers that it reads

  // The way to shared memory, L1 and the shuffles, which the sub-cores share.
  double queue_latency = 6;  ///< from issue to the head of a sub-core's queue
  double queue_entries = 8;
  double queue_interval = 2;   ///< between two requests of a sub-core
  double shared_latency = 16;  ///< of LDSM and LDS, without their wavefronts
  double return_interval = 2;  ///< for one register of a warp on the way back
  double shuffle_wavefronts = 1;
  double shuffle_latency = 17;
  double read_latency = 4;     ///< until an operand's barrier is released
  double copy_wavefronts = 1;  ///< of an LDGSTS's request
  double fill_wavefronts = 4;  ///< of its data, for 512 bytes without conflicts
  double l2_latency = 280;
  double l2_bytes = 64;       ///< that L2 sends an SM in a cycle
  double l2_spread = 0.25;    ///< the latency varies by so much of itself, up and down
  double dram_latency = 715;  ///< of what is not in L2 yet
  double dram_bytes = 13;     ///< that DRAM sends an SM in a cycle, when all SMs ask for as much
  double commit_latency = 4;  ///< from the last copy of a group to its barrier
  double local_latency = 30;

  // Warps and CTAs.
  double greedy = 1;            ///< 0: the schedulers take turns instead
  double special_latency = 30;  ///< S2R, LDC and others
  double uniform_latency = 10;
  double barrier_latency = 21;
  double branch_latency = 8;  ///< of the branch back to the loop's start
  double cta_latency = 600;   ///< from the end of a CTA to the start of the next in its place; up to twice that
  double cta_stagger = 400;   ///< between the first CTAs of an SM
};

/// Where a figure is from.
enum class FigureSource { measured, machine_code, document, fitted, assumed };

const char* name_of(FigureSource source);

struct TimingSource {
  const char* name;  ///< "tensor_interval"
  double SmTimings::*value;
  FigureSource source;
  const char* where;
};

/// Of every figure.
const std::vector<TimingSource>& timing_sources();

/// For an architecture, whose rates differ from another's in what rates.h says.
SmTimings timings_of(const Rates& rates);

}  // namespace flash_steps
