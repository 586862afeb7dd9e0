// Compares an output with the reference where both lie, in the GPU's memory.
#pragma once

#include <cstdint>

#include "harness/contract/kernel.h"
#include "harness/gpu/cuda/device_array.h"

namespace flash_steps {

struct Difference {
  double max_abs = 0;            ///< max|out − ref|; NaN if any of them is NaN
  double rms = 0;                ///< √mean((out − ref)²)
  double max_abs_reference = 0;  ///< max|ref|
};

/// Both have the same number of elements; `output` holds bits of the type.
Difference compare_on_device(const DeviceArray<uint16_t>& output, Dtype dtype, const DeviceArray<float>& reference);

/// The same of L. Where the reference is infinite there is no error if the output is the same infinity, and an infinite
/// one if it is not; max_abs_reference is of the others.
Difference compare_lse_on_device(const DeviceArray<float>& lse, const DeviceArray<float>& reference);

/// Sets *differs to 1 if the outputs, of the same number of elements, differ in any bit, and leaves it otherwise. Does
/// not wait for the GPU.
void note_difference(const DeviceArray<uint16_t>& a, const DeviceArray<uint16_t>& b, int* differs);
void note_difference(const DeviceArray<float>& a, const DeviceArray<float>& b, int* differs);

/// Fills an output with NaN (of either type), so that an element that a kernel does not write cannot pass.
void poison(DeviceArray<uint16_t>& output);
void poison(DeviceArray<float>& output);

}  // namespace flash_steps
