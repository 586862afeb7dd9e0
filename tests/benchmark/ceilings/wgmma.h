// The ceiling of the kernels from 19_wgmma on: what the tensor cores reach through wgmma when nothing else is done.
#pragma once

namespace flash_steps::ceilings {

/// Where wgmma finds its left operand; the right one is always in shared memory. Q·Kᵀ has the one form, P·V the other.
enum class LeftOperand { shared_memory, registers };

struct WgmmaCeiling {
  double tflops = 0;  ///< 2·64·128·16 FLOP an instruction
  double cycles = 0;  ///< of an SM's clock for one instruction
};

/// wgmma m64n128k16 in fp16 with fp32 accumulation on all SMs: of several launches within a tenth of a second the
/// fastest one's, as measure_mma_ceiling() has it. Needs a GPU of compute capability 9.0.
WgmmaCeiling measure_wgmma_ceiling(LeftOperand left, int sm_count);

}  // namespace flash_steps::ceilings
