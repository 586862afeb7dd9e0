// Every CUDA call of the harness is checked here.
#pragma once

#include <cuda_runtime.h>

#include <string>

namespace flash_steps {

/// Throws std::runtime_error with CUDA's own text unless `error` is cudaSuccess. `what` is what was tried, as the
/// subject of the sentence: "copying O from the GPU".
void check_cuda(cudaError_t error, const char* what);

/// Throws if the launch of `kernel` just before failed.
void check_launch(const std::string& kernel);

/// Waits until the GPU is idle and throws if that failed; `kernels` says what it was running.
void wait_for_gpu(const std::string& kernels);

}  // namespace flash_steps
