// Finds the GPU.
#pragma once

#include <string>

#include "harness/gpu/timing/nvml.h"
#include "harness/machine/device.h"

namespace flash_steps {

/// Makes the first visible GPU the current one and returns its PCI bus id. Throws MachineError, with a sentence that
/// says what would work, when there is none, when it is too old or when this build has no code for it.
std::string require_gpu();

/// Facts of the current GPU; `nvml` may be null.
DeviceFacts device_facts(const Nvml* nvml);

}  // namespace flash_steps
