// The truth on the GPU: attention by plain loops in fp32, sharing no code with any kernel.
#pragma once

#include <cstdint>

#include "harness/gpu/device_array.h"
#include "harness/gpu/inputs.h"
#include "harness/problem.h"

namespace flash_steps {

/// Bytes of scratch memory that device_reference() takes at most.
int64_t reference_scratch_limit(int seqlen);

/// Fills `exact` with O in fp32, and `ref16` with O of plain attention whose S (after scaling), P (normalised) and O
/// are rounded to the problem's type. Both are [batch, seqlen, heads, head_dim]. Covers every seqlen.
void device_reference(const Problem& problem, const DeviceInputs& inputs, DeviceArray<float>& exact,
                      DeviceArray<uint16_t>& ref16);

}  // namespace flash_steps
