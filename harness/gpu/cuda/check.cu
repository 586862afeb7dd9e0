#include <stdexcept>

#include "harness/gpu/cuda/check.cuh"

namespace flash_steps {

void check_cuda(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  throw std::runtime_error(std::string(what) + " failed: " + cudaGetErrorString(error) + " (" +
                           cudaGetErrorName(error) + ")");
}

void check_launch(const std::string& kernel) { check_cuda(cudaGetLastError(), ("launching " + kernel).c_str()); }

void wait_for_gpu(const std::string& kernels) { check_cuda(cudaDeviceSynchronize(), ("running " + kernels).c_str()); }

}  // namespace flash_steps
