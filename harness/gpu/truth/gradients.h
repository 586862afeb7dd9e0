// The truth of the backward pass on the GPU: gradients by plain loops in fp64 or fp32, sharing no code with any kernel.
#pragma once

#include <cstdint>

#include "harness/contract/problem.h"
#include "harness/gpu/cuda/device_array.h"
#include "harness/gpu/truth/inputs.h"
#include "harness/gpu/truth/reference.h"

namespace flash_steps {

/// One for each of Q, K and V, laid out as kernels write them.
template <typename T>
struct DeviceGradients {
  DeviceArray<T> dq, dk, dv;

  DeviceGradients() = default;
  explicit DeviceGradients(const Problem& problem)
      : dq(problem.elements()), dk(problem.kv_elements()), dv(problem.kv_elements()) {}

  int64_t bytes() const { return dq.bytes() + dk.bytes() + dv.bytes(); }
};

/// Bytes that device_gradients() takes for each row of Q while it runs.
constexpr int gradients_scratch_of_row = 32;

/// Fills `exact` and `ref16` as reference_gradients() of truth/gradients.h does, exact ones rounded to fp32. `o` and
/// `o16` are O as device_reference() makes them.
void device_gradients(const Problem& problem, const DeviceInputs& inputs, Precision precision,
                      const DeviceArray<float>& o, const DeviceArray<uint16_t>& o16, DeviceGradients<float>& exact,
                      DeviceGradients<uint16_t>& ref16);

/// The output that a kernel of the backward pass is given: O of the reference, rounded to the problem's type.
DeviceArray<uint16_t> rounded_output(const DeviceArray<float>& o, Dtype dtype);

}  // namespace flash_steps
