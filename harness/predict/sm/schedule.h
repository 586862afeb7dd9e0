// A program as the warps of one SM step through it: what an instruction needs, in the fewest words.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/predict/code/program.h"

namespace flash_steps {

struct Step {
  Unit unit = Unit::none;
  uint8_t stall = 1;
  bool yield = false;
  int8_t write_barrier = -1;
  int8_t read_barrier = -1;
  uint8_t wait = 0;
  uint8_t registers = 1;     ///< that a memory instruction moves
  uint8_t count = 0;         ///< of DEPBAR
  uint16_t wavefronts = 1;   ///< of shared memory
  uint8_t reads = 0;         ///< cycles of the operand ports, when another warp issued before
  uint8_t reads_kept = 0;    ///< when the same warp did, and kept operands for this one
  bool not_in_last = false;  ///< see OrderStep
  bool of_next_tile = false;
  bool is_first_touch = false;  ///< a copy of what no CTA has read before: what a CTA copies before its loop
  int32_t index = 0;            ///< of the instruction in the program's code
};

/// What a CTA does besides its code: how often it loops, and what the counters say of its shared memory.
struct CtaWork {
  int warps = 4;
  std::vector<Passes> passes = {{0, 1}};  ///< of one CTA after the other, and then from the first again
  double ldmatrix_wavefronts = 4;         ///< of one ldmatrix.x4, on average
  double fill_wavefronts = 4;             ///< of one copy of 512 bytes, on average
};

struct Schedule {
  std::vector<Step> prologue, masked, between, loop, epilogue;
  CtaWork work;
};

Schedule schedule_of(const Program& program, const CtaWork& work);

}  // namespace flash_steps
