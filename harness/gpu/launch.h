// Variants on this GPU: whether they run, what they take, and the launch itself.
#pragma once

#include <optional>
#include <string>

#include "harness/contract/kernel.h"
#include "harness/contract/problem.h"
#include "harness/machine/backend.h"

struct CUstream_st;  // what CUDA's cudaStream_t points to

namespace flash_steps {

/// "01_base (64x64, fp16)", for messages.
std::string describe(const Variant& variant);

/// See Backend::refusal.
std::optional<std::string> variant_refusal(const Variant& variant, const Problem& problem, const DeviceFacts& device);

Resources variant_resources(const Variant& variant);

/// Lets the variant have the shared memory that it asks for, which is more than CUDA gives without being told. Once
/// before the first launch.
void allow_shared_memory(const Variant& variant);

/// Puts one launch for the whole problem on the stream; null is the default stream.
void launch_variant(const Variant& variant, const Problem& problem, LaunchArguments arguments, CUstream_st* stream);

}  // namespace flash_steps
