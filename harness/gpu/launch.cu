#include <algorithm>

#include "harness/base/error.h"
#include "harness/base/text.h"
#include "harness/gpu/cuda/check.cuh"
#include "harness/gpu/launch.h"

namespace flash_steps {
namespace {

constexpr int most_heads_or_batches = 65535;  // CUDA's limit for gridDim.y and gridDim.z

cudaFuncAttributes attributes_of(const Launch& launch, const std::string& name) {
  cudaFuncAttributes attributes{};
  check_cuda(cudaFuncGetAttributes(&attributes, launch.symbol), ("asking for the attributes of " + name).c_str());
  return attributes;
}

void allow_shared_memory(const Launch& launch, const std::string& name) {
  check_cuda(cudaFuncSetAttribute(launch.symbol, cudaFuncAttributeMaxDynamicSharedMemorySize, launch.smem_bytes),
             ("giving " + name + " " + readable_bytes(launch.smem_bytes) + " of shared memory").c_str());
}

int ctas_per_sm(const Launch& launch, const std::string& name) {
  int ctas = 0;
  check_cuda(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&ctas, launch.symbol, launch.threads, launch.smem_bytes),
             ("asking for the occupancy of " + name).c_str());
  return ctas;
}

std::optional<std::string> architecture_refusal(const Architecture& needs, const std::string& name,
                                                const DeviceFacts& device) {
  const int has = static_cast<int>(std::stod(device.compute_capability) * 10 + 0.5);
  const int wants = needs.major * 10 + needs.minor;
  if (needs.exactly ? has == wants : has >= wants) return std::nullopt;
  return name + " has instructions of sm_" + std::to_string(wants) + (needs.exactly ? "a alone" : " and later") +
         ", and " + device.name + " is sm_" + std::to_string(has) + "; --device=emulator would work";
}

std::optional<std::string> code_refusal(const Launch& launch, const std::string& name, const DeviceFacts& device) {
  cudaFuncAttributes attributes{};
  const cudaError_t error = cudaFuncGetAttributes(&attributes, launch.symbol);
  if (error == cudaErrorNoKernelImageForDevice || error == cudaErrorInvalidDeviceFunction) {
    cudaGetLastError();  // CUDA would report this error once more after the next launch
    std::string architecture = device.compute_capability;
    std::erase(architecture, '.');
    return "this build has no code of " + name + " for sm_" + architecture +
           "; a build with -DCMAKE_CUDA_ARCHITECTURES=" + architecture + " would work";
  }
  check_cuda(error, ("asking for the attributes of " + name).c_str());
  return std::nullopt;
}

std::optional<std::string> room_refusal(const Launch& launch, const std::string& name, const DeviceFacts& device) {
  const cudaFuncAttributes attributes = attributes_of(launch, name);
  const double smem_bytes = double(attributes.sharedSizeBytes) + launch.smem_bytes;
  if (smem_bytes > device.smem_bytes_per_cta) {
    return name + " needs " + readable_bytes(smem_bytes) + " of shared memory a CTA and " + device.name + " has " +
           readable_bytes(device.smem_bytes_per_cta) + "; a config with smaller tiles would work";
  }
  if (launch.threads > attributes.maxThreadsPerBlock) {
    return name + " has CTAs of " + std::to_string(launch.threads) + " threads with " +
           std::to_string(attributes.numRegs) + " registers each and " + device.name + " has room for " +
           std::to_string(attributes.maxThreadsPerBlock) + " such threads; a config with fewer warps would work";
  }
  allow_shared_memory(launch, name);
  if (ctas_per_sm(launch, name) == 0) {
    return "no SM of " + device.name + " has room for a CTA of " + name + "; a config with smaller tiles would work";
  }
  return std::nullopt;
}

}  // namespace

std::string describe(const Variant& variant) {
  return variant.kernel + " (" + variant.tile.config + ", " + name_of(variant.dtype) + ")";
}

std::optional<std::string> variant_refusal(const Variant& variant, const Problem& problem, const DeviceFacts& device) {
  if (problem.heads > most_heads_or_batches || problem.batch > most_heads_or_batches) {
    return "batch " + std::to_string(problem.batch) + " and heads " + std::to_string(problem.heads) +
           " are more than a grid covers; up to " + std::to_string(most_heads_or_batches) + " of each would work";
  }
  const std::string name = describe(variant);
  if (const auto refusal = architecture_refusal(variant.needs, name, device)) return refusal;
  for (const Launch& launch : variant.plan(problem, {})) {
    if (const auto refusal = code_refusal(launch, name, device)) return refusal;
    if (const auto refusal = room_refusal(launch, name, device)) return refusal;
  }
  return std::nullopt;
}

Resources variant_resources(const Variant& variant) {
  const std::string name = describe(variant);
  Resources most;
  for (const Launch& launch : variant.plan({}, {})) {
    const cudaFuncAttributes attributes = attributes_of(launch, name);
    allow_shared_memory(launch, name);
    most.registers = std::max(most.registers, attributes.numRegs);
    most.smem_bytes = std::max(most.smem_bytes, static_cast<int>(attributes.sharedSizeBytes) + launch.smem_bytes);
    most.spill_bytes = std::max(most.spill_bytes, static_cast<int>(attributes.localSizeBytes));
    const int ctas = ctas_per_sm(launch, name);
    most.ctas_per_sm = most.ctas_per_sm == 0 ? ctas : std::min(most.ctas_per_sm, ctas);
  }
  return most;
}

PlannedVariant::PlannedVariant(const Variant& variant, const Problem& problem, const Tensors& tensors)
    : name_(describe(variant)), launches_(variant.plan(problem, tensors)) {
  for (const Launch& launch : launches_) allow_shared_memory(launch, name_);
}

void PlannedVariant::launch(CUstream_st* stream) const {
  for (const Launch& launch : launches_) {
    cudaLaunchAttribute cluster{};
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim = {static_cast<unsigned>(launch.cluster), 1, 1};
    cudaLaunchConfig_t config{};
    config.gridDim = dim3(launch.grid.x, launch.grid.y, launch.grid.z);
    config.blockDim = dim3(launch.threads);
    config.dynamicSmemBytes = launch.smem_bytes;
    config.stream = stream;
    config.attrs = &cluster;
    config.numAttrs = launch.cluster > 1 ? 1 : 0;
    // CUDA does not write to the arguments, though its parameter says it might.
    void** const arguments = const_cast<void**>(launch.arguments.data());
    const cudaError_t error = cudaLaunchKernelExC(&config, launch.symbol, arguments);
    if (error == cudaSuccess) continue;
    cudaGetLastError();  // CUDA would report this error once more after the next launch
    throw KernelError("launching " + name_ + " failed: " + cudaGetErrorString(error) + " (" + cudaGetErrorName(error) +
                      ")");
  }
}

}  // namespace flash_steps
