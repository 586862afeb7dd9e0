// The ceiling of the kernels: what the tensor cores reach through mma.sync, the only instruction by which the kernels
// use them, when nothing else is done.
#pragma once

namespace flash_steps {

/// TFLOP/s (2·16·8·16 FLOP an instruction) of mma.sync m16n8k16 in fp16 with fp32 accumulation on all SMs: of several
/// launches within a tenth of a second, which also raises the clocks of an idle GPU, the fastest one's.
double measure_mma_ceiling(int sm_count);

}  // namespace flash_steps
