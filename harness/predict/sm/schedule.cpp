#include "harness/predict/sm/schedule.h"

#include <algorithm>
#include <cmath>

namespace flash_steps {
namespace {

// The register file of a sub-core has two banks, even and odd registers, which read one register of a warp a cycle each
// (Jia et al., arXiv 1804.06826). Operands in `kept` are still beside the unit.
int cycles_of_reads(const std::vector<Operand>& operands, const std::vector<Operand>& kept) {
  int reads[2] = {};
  for (const Operand& operand : operands) {
    const bool is_kept = std::any_of(kept.begin(), kept.end(), [&](const Operand& other) {
      return other.reuse && other.place == operand.place && other.first == operand.first;
    });
    if (is_kept) continue;
    for (int r = operand.first; r < operand.first + operand.count; r++) reads[r & 1]++;
  }
  return std::max(reads[0], reads[1]);
}

// `before`: the instruction of the same warp before it; nullptr for the first.
Step step_of(const DecodedInstruction& instruction, const DecodedInstruction* before, const CtaWork& work) {
  const Control& control = instruction.control;
  Step step;
  step.unit = instruction.unit;
  if (instruction.unit == Unit::exit && instruction.is_conditional) step.unit = Unit::none;  // the warp goes on
  step.stall = static_cast<uint8_t>(std::max(1, control.stall));
  step.yield = control.yield;
  step.write_barrier = static_cast<int8_t>(control.write_barrier);
  step.read_barrier = static_cast<int8_t>(control.read_barrier);
  step.wait = static_cast<uint8_t>(control.wait);
  step.registers = static_cast<uint8_t>(instruction.registers);
  step.count = static_cast<uint8_t>(instruction.count);
  step.wavefronts = static_cast<uint16_t>(instruction.registers);
  if (instruction.unit == Unit::ldmatrix) {
    step.wavefronts = static_cast<uint16_t>(std::lround(work.ldmatrix_wavefronts * instruction.registers / 4));
  }
  const std::vector<Operand> none;
  step.reads = static_cast<uint8_t>(cycles_of_reads(instruction.operands, none));
  step.reads_kept =
      static_cast<uint8_t>(cycles_of_reads(instruction.operands, before == nullptr ? none : before->operands));
  return step;
}

std::vector<Step> steps_of(const std::vector<OrderStep>& order, const Program& program, const CtaWork& work) {
  std::vector<Step> steps;
  for (const OrderStep& place : order) {
    const DecodedInstruction* const before = steps.empty() ? nullptr : &program.code[steps.back().index];
    Step& step = steps.emplace_back(step_of(program.code[place.index], before, work));
    step.index = place.index;
    step.not_in_last = place.not_in_last;
    step.of_next_tile = place.of_next_tile;
  }
  return steps;
}

}  // namespace

Schedule schedule_of(const Program& program, const CtaWork& work) {
  const auto steps = [&](const std::vector<OrderStep>& order) { return steps_of(order, program, work); };
  Schedule schedule{steps(program.prologue), steps(program.masked),   steps(program.between),
                    steps(program.loop),     steps(program.epilogue), work};
  for (Step& step : schedule.prologue) step.is_first_touch = step.unit == Unit::copy;
  return schedule;
}

}  // namespace flash_steps
