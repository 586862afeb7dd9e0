// What the GPU draws and how warm it is while one contender has it for itself.
#pragma once

#include "harness/gpu/timing/timer.h"

namespace flash_steps {

/// Runs the contender, which takes about sample_ms, again and again for a fifth of a second, and reads the GPU's state
/// in the second half of it. Within a round that would not do: the driver tells the power as it was some tens of
/// milliseconds ago, when another contender ran.
GpuState state_alone(const Contender& contender, double sample_ms, const Nvml& nvml);

}  // namespace flash_steps
