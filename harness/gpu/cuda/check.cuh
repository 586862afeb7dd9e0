// Every CUDA call of the harness is checked here.
#pragma once

#include <cuda_runtime.h>

#include <string>

namespace flash_steps {

/// Throws MachineError (OutOfMemory if that is why) with CUDA's own text unless `error` is cudaSuccess. `what` is what
/// was tried, as the subject of the sentence: "copying O from the GPU".
void check_cuda(cudaError_t error, const char* what);

/// Throws if the launch of `kernel`, one of the harness's own, just before failed.
void check_launch(const std::string& kernel);

/// Waits until the GPU is idle. Throws KernelError if something that ran did what no kernel may, such as to access
/// memory that nobody allocated, and otherwise as check_cuda(). `kernels` says what was running.
void wait_for_gpu(const std::string& kernels);

struct GpuMemory {
  size_t free_bytes;
  size_t total_bytes;
};
GpuMemory gpu_memory();

}  // namespace flash_steps
