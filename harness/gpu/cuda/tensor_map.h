// Tensor maps as CUDA makes them.
#pragma once

#include "harness/contract/kernel.h"

namespace flash_steps {

/// For elements of 16 bits; what lies outside of the tensor is read as zeros. Throws MachineError where the driver has
/// no tensor maps or refuses this one.
TensorMap encode_tensor_map(const TensorMapShape& shape);

}  // namespace flash_steps
