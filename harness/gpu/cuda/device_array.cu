#include "harness/base/error.h"
#include "harness/base/text.h"
#include "harness/gpu/cuda/check.cuh"
#include "harness/gpu/cuda/device_array.h"

namespace flash_steps {

void* device_allocate(int64_t bytes) {
  void* data = nullptr;
  const cudaError_t error = cudaMalloc(&data, bytes);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // CUDA would report this error once more after the next launch
    throw OutOfMemory("an allocation of " + readable_bytes(bytes) + " failed with " +
                      readable_bytes(gpu_memory().free_bytes) +
                      " of GPU memory free; a smaller --batch or --seqlen would work");
  }
  check_cuda(error, ("allocating " + readable_bytes(bytes) + " of GPU memory").c_str());
  return data;
}

// An error here is one of an earlier kernel, which is reported where that kernel is waited for.
void device_free(void* data) noexcept { cudaFree(data); }

void copy_to_device(void* device, const void* host, int64_t bytes) {
  check_cuda(cudaMemcpy(device, host, bytes, cudaMemcpyHostToDevice), "copying to the GPU");
}

void copy_to_host(void* host, const void* device, int64_t bytes) {
  check_cuda(cudaMemcpy(host, device, bytes, cudaMemcpyDeviceToHost), "copying from the GPU");
}

}  // namespace flash_steps
