// Where the cycles of a warp go.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "harness/predict/code/instruction.h"

namespace flash_steps {

/// What keeps a warp from issuing, or that it does.
enum class Stall {
  issued,
  fixed,          ///< the stall count of the instruction before: a latency that the compiler knows
  shared_memory,  ///< data of LDSM, LDS or SHFL
  mufu,           ///< a result of MUFU
  copy,           ///< a group of copies, from L2
  barrier,        ///< the other warps of the CTA
  tensor,         ///< the tensor pipe is busy
  math,           ///< another arithmetic pipe is
  queue,          ///< the queue to shared memory is full
  ports,          ///< the operands' ports are busy
  not_selected,   ///< another warp issued
  other
};

inline constexpr Stall all_stalls[] = {Stall::issued, Stall::fixed,   Stall::shared_memory, Stall::mufu,
                                       Stall::copy,   Stall::barrier, Stall::tensor,        Stall::math,
                                       Stall::queue,  Stall::ports,   Stall::not_selected,  Stall::other};
inline constexpr int stall_kinds = static_cast<int>(std::size(all_stalls));

const char* name_of(Stall stall);

/// What a warp stands for that waits for a barrier which an instruction of this unit releases.
Stall stall_for(Unit unit);

/// Cycles of warps, by what they were spent on.
using StallCycles = std::array<int64_t, stall_kinds>;

/// What a simulation of an SM saw.
struct SmRun {
  std::vector<int64_t> finished;      ///< when each CTA ended, in cycles from the start, in order
  std::vector<StallCycles> by_index;  ///< by the instruction at which the warp stood
  int64_t tensor_busy = 0;            ///< cycles of the four tensor cores together
  int64_t shared_busy = 0;            ///< cycles of shared memory
  int64_t mufu_busy = 0;              ///< and so on, of the four sub-cores together
  int64_t alu_busy = 0;
  int64_t fp32_busy = 0;
  int64_t issued = 0;
  int64_t cycles = 0;
};

}  // namespace flash_steps
