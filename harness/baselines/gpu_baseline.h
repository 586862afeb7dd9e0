// A baseline that is ready for one problem in the GPU's memory.
#pragma once

#include <cstdint>
#include <string>

#include "harness/contract/problem.h"

struct CUstream_st;  // what CUDA's cudaStream_t points to

namespace flash_steps {

class GpuBaseline {
 public:
  virtual ~GpuBaseline() = default;

  /// Puts one computation on the stream (null: the default stream), without waiting for it.
  virtual void launch(CUstream_st* stream) = 0;

  /// Where the last launch put O, in the layout of the kernels' O; valid until the next launch.
  virtual const void* output() const = 0;

  /// Of one that computes a backward pass: the same of dQ, dK or dV; null of others.
  virtual const void* gradient(Output) const { return nullptr; }

  /// The most that one computation holds of the GPU's memory besides Q, K, V and O (see MemoryUse).
  virtual int64_t workspace_bytes() const = 0;

  /// What computes, with its version: "PyTorch 2.11.0, CUDA 13.0, cuDNN 9.15.1".
  virtual std::string implementation() const = 0;
};

}  // namespace flash_steps
