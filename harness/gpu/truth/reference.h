// The truth on the GPU: attention by plain loops in fp64 or fp32, sharing no code with any kernel.
#pragma once

#include <cstdint>

#include "harness/contract/problem.h"
#include "harness/gpu/cuda/device_array.h"
#include "harness/gpu/truth/inputs.h"

namespace flash_steps {

/// What the reference is computed in, the exponentials included.
enum class Precision { fp32, fp64 };

/// fp64 for problems of up to 4·10¹⁰ FLOP, that is batch · heads · seqlen² of up to 78 million, and fp32 beyond. In
/// fp64 the loops do about 620 operations for each query and key (384 in the three products, 160 in the sums over a
/// warp, the rest in exponentials and conversions), so 5·10¹⁰ at the limit: where an SM does but two a clock, as on
/// sm_86, about a fifth of a second with 82 SMs, a second with 16.
Precision precision_of(const Problem& problem);

/// "fp64 on the GPU", for the results file.
const char* name_of(Precision precision);

/// Bytes of scratch memory that device_reference() takes at most, in the precision of the problems of this length: of
/// this many keys.
int64_t reference_scratch_limit(int keys);

/// Fills `exact` with O, rounded to fp32 at the end, which is 2^-13 of the rounding of fp16, and `ref16` with O of
/// plain attention whose S (after scaling), P (normalised) and O are rounded to the problem's type, and `lse` with L.
/// They are laid out as kernels write them. Covers every length, packed sequences, causal masks, dropout, grouped heads
/// and the head dimensions that kernels cover; throws MachineError for others.
void device_reference(const Problem& problem, const DeviceInputs& inputs, Precision precision,
                      DeviceArray<float>& exact, DeviceArray<uint16_t>& ref16, DeviceArray<float>& lse);

}  // namespace flash_steps
