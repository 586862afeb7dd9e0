#include <algorithm>

#include "harness/base/error.h"
#include "harness/gpu/cuda/check.cuh"

namespace flash_steps {
namespace {

// What ends a launch from within. The process can use the GPU no more after any of them.
constexpr cudaError_t faults[] = {cudaErrorIllegalAddress, cudaErrorMisalignedAddress,   cudaErrorIllegalInstruction,
                                  cudaErrorInvalidPc,      cudaErrorInvalidAddressSpace, cudaErrorHardwareStackError,
                                  cudaErrorLaunchFailure,  cudaErrorLaunchTimeout,       cudaErrorAssert};

std::string in_words(cudaError_t error) {
  return std::string(cudaGetErrorString(error)) + " (" + cudaGetErrorName(error) + ")";
}

}  // namespace

void check_cuda(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // CUDA would report this error once more after the next launch
  const std::string sentence = std::string(what) + " failed: " + in_words(error);
  if (error == cudaErrorMemoryAllocation) throw OutOfMemory(sentence);
  throw MachineError(sentence);
}

void check_launch(const std::string& kernel) { check_cuda(cudaGetLastError(), ("launching " + kernel).c_str()); }

void wait_for_gpu(const std::string& kernels) {
  const cudaError_t error = cudaDeviceSynchronize();
  if (std::find(std::begin(faults), std::end(faults), error) != std::end(faults)) {
    throw KernelError(kernels + " ended its launch: " + in_words(error) +
                      "; --device=emulator or a run under compute-sanitizer would show where");
  }
  check_cuda(error, ("running " + kernels).c_str());
}

GpuMemory gpu_memory() {
  GpuMemory memory{};
  check_cuda(cudaMemGetInfo(&memory.free_bytes, &memory.total_bytes), "asking for the memory of the GPU");
  return memory;
}

}  // namespace flash_steps
