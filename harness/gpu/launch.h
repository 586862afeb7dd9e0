// Variants on this GPU: whether they run, what they take, and the launch itself.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/contract/kernel.h"
#include "harness/contract/problem.h"
#include "harness/machine/device.h"

struct CUstream_st;  // what CUDA's cudaStream_t points to

namespace flash_steps {

/// "01_base (64x64, fp16)", for messages.
std::string describe(const Variant& variant);

/// See Machine::refusal.
std::optional<std::string> variant_refusal(const Variant& variant, const Problem& problem, const DeviceFacts& device);

Resources variant_resources(const Variant& variant);

/// The launches that compute a problem, each of which may have the shared memory that it asks for, which is more than
/// CUDA gives without being told.
class PlannedVariant {
 public:
  PlannedVariant(const Variant& variant, const Problem& problem, const Tensors& tensors);

  /// Puts the launches on the stream; null is the default stream. Throws KernelError if CUDA refuses one.
  void launch(CUstream_st* stream) const;

  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::vector<Launch> launches_;
};

}  // namespace flash_steps
