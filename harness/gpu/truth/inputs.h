// Q, K, V and dO in the GPU's memory, the same bits as make_inputs() makes on the host.
#pragma once

#include <cstdint>

#include "harness/gpu/cuda/device_array.h"
#include "harness/truth/inputs.h"

namespace flash_steps {

/// In the layout of the problem, as bits of its type.
struct DeviceInputs {
  DeviceArray<uint16_t> q, k, v;
  DeviceArray<uint16_t> d_o;  ///< of a backward pass alone

  int64_t bytes() const { return q.bytes() + k.bytes() + v.bytes() + d_o.bytes(); }
};

DeviceInputs make_device_inputs(const Problem& problem);

}  // namespace flash_steps
