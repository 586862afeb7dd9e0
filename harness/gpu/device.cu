#include <cstdlib>

#include "harness/base/error.h"
#include "harness/gpu/cuda/check.cuh"
#include "harness/gpu/device.h"

namespace flash_steps {
namespace {

constexpr int first_gpu = 0;
constexpr int oldest_major = 8;  // sm_80: the first with cp.async and m16n8k16

__global__ void any_kernel() {}

int attribute(cudaDeviceAttr which) {
  int value = 0;
  check_cuda(cudaDeviceGetAttribute(&value, which, first_gpu), "asking for the GPU's facts");
  return value;
}

std::string version(int cuda_version) {  // 1000·major + 10·minor
  return std::to_string(cuda_version / 1000) + "." + std::to_string(cuda_version % 1000 / 10);
}

template <typename Error = MachineError>
[[noreturn]] void refuse(const std::string& reason, const std::string& also_works = "") {
  throw Error(reason + "; " + (also_works.empty() ? "" : also_works + " or ") + "--device=emulator would work");
}

void require_visible_gpu() {
  int driver = 0;
  // 0 where there is no driver: cudaGetDeviceCount gives the same error for that and for one that is too old.
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) refuse<NoGpu>("this machine has no NVIDIA driver");

  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaErrorInsufficientDriver) {
    refuse("the driver covers CUDA up to " + version(driver) + " and this build needs " + version(CUDART_VERSION),
           "a newer driver");
  }
  if (error == cudaErrorNoDevice || (error == cudaSuccess && count == 0)) {
    const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
    if (visible == nullptr) refuse<NoGpu>("the driver finds no GPU");
    refuse("no GPU is visible with CUDA_VISIBLE_DEVICES=" + std::string(visible), "another value");
  }
  if (error != cudaSuccess) {
    refuse("the GPU cannot be used: " + std::string(cudaGetErrorString(error)) + " (" + cudaGetErrorName(error) + ")");
  }
}

std::string name_of_gpu() {
  cudaDeviceProp properties{};
  check_cuda(cudaGetDeviceProperties(&properties, first_gpu), "asking for the GPU's name");
  return properties.name;
}

std::string architecture() {
  return std::to_string(attribute(cudaDevAttrComputeCapabilityMajor)) +
         std::to_string(attribute(cudaDevAttrComputeCapabilityMinor));
}

}  // namespace

std::string require_gpu() {
  require_visible_gpu();
  if (attribute(cudaDevAttrComputeCapabilityMajor) < oldest_major) {
    refuse(name_of_gpu() + " is sm_" + architecture() + " and the kernels need sm_80 or newer");
  }
  if (const cudaError_t error = cudaSetDevice(first_gpu); error != cudaSuccess) {
    refuse(name_of_gpu() + " cannot be used: " + cudaGetErrorString(error) + " (" + cudaGetErrorName(error) + ")");
  }

  cudaFuncAttributes attributes{};
  const cudaError_t error = cudaFuncGetAttributes(&attributes, any_kernel);
  if (error == cudaErrorNoKernelImageForDevice || error == cudaErrorInvalidDeviceFunction) {
    refuse("this build has no code for " + name_of_gpu() + " (sm_" + architecture() + ")",
           "a build with -DCMAKE_CUDA_ARCHITECTURES=" + architecture());
  }
  check_cuda(error, "asking for the attributes of a kernel");

  char pci_bus_id[32] = "";
  check_cuda(cudaDeviceGetPCIBusId(pci_bus_id, sizeof pci_bus_id, first_gpu), "asking for the GPU's PCI bus id");
  return pci_bus_id;
}

DeviceFacts device_facts(const Nvml* nvml) {
  DeviceFacts facts;
  facts.backend = Target::gpu;
  facts.name = name_of_gpu();
  facts.compute_capability = std::to_string(attribute(cudaDevAttrComputeCapabilityMajor)) + "." +
                             std::to_string(attribute(cudaDevAttrComputeCapabilityMinor));
  facts.sm_count = attribute(cudaDevAttrMultiProcessorCount);
  facts.l2_bytes = attribute(cudaDevAttrL2CacheSize);
  facts.memory_bytes = static_cast<int64_t>(gpu_memory().total_bytes);
  facts.smem_bytes_per_cta = attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin);
  facts.sm_clock_max_mhz = attribute(cudaDevAttrClockRate) / 1000.0;
  facts.memory_clock_max_mhz = attribute(cudaDevAttrMemoryClockRate) / 1000.0;
  if (nvml != nullptr) facts.driver = nvml->driver_version();
  if (facts.driver.empty()) {
    int driver = 0;
    check_cuda(cudaDriverGetVersion(&driver), "asking for the driver's version");
    facts.driver = "CUDA " + version(driver);
  }
  return facts;
}

}  // namespace flash_steps
