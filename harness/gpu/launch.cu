#include "harness/contract/registry.h"
#include "harness/gpu/cuda/check.cuh"
#include "harness/gpu/launch.h"
#include "harness/gpu/memory_need.h"

namespace flash_steps {
namespace {

constexpr int most_heads_or_batches = 65535;  // CUDA's limit for gridDim.y and gridDim.z

const void* symbol_of(const Variant& variant) { return reinterpret_cast<const void*>(variant.function); }

std::string name_of_kernel(const Variant& variant) {
  for (const Kernel& kernel : kernels()) {
    for (const Variant& registered : kernel.gpu) {
      if (registered.function == variant.function) return kernel.name;
    }
  }
  return "a kernel that is not registered";
}

int ctas_per_sm(const Variant& variant) {
  int ctas = 0;
  check_cuda(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&ctas, symbol_of(variant), variant.tile.threads,
                                                           variant.tile.smem_bytes),
             ("asking for the occupancy of " + describe(variant)).c_str());
  return ctas;
}

cudaFuncAttributes attributes_of(const Variant& variant) {
  cudaFuncAttributes attributes{};
  check_cuda(cudaFuncGetAttributes(&attributes, symbol_of(variant)),
             ("asking for the attributes of " + describe(variant)).c_str());
  return attributes;
}

std::string without_point(std::string compute_capability) {
  std::erase(compute_capability, '.');
  return compute_capability;
}

}  // namespace

std::string describe(const Variant& variant) {
  return name_of_kernel(variant) + " (" + variant.tile.config + ", " + name_of(variant.dtype) + ")";
}

std::optional<std::string> variant_refusal(const Variant& variant, const Problem& problem, const DeviceFacts& device) {
  const TileShape& tile = variant.tile;
  if (problem.heads > most_heads_or_batches || problem.batch > most_heads_or_batches) {
    return "batch " + std::to_string(problem.batch) + " and heads " + std::to_string(problem.heads) +
           " are more than a grid covers; up to " + std::to_string(most_heads_or_batches) + " of each would work";
  }

  cudaFuncAttributes attributes{};
  const cudaError_t error = cudaFuncGetAttributes(&attributes, symbol_of(variant));
  if (error == cudaErrorNoKernelImageForDevice || error == cudaErrorInvalidDeviceFunction) {
    cudaGetLastError();  // CUDA would report this error once more after the next launch
    const std::string architecture = without_point(device.compute_capability);
    return "this build has no code of " + describe(variant) + " for sm_" + architecture +
           "; a build with -DCMAKE_CUDA_ARCHITECTURES=" + architecture + " would work";
  }
  check_cuda(error, ("asking for the attributes of " + describe(variant)).c_str());

  const double smem_bytes = double(attributes.sharedSizeBytes) + tile.smem_bytes;
  if (smem_bytes > device.smem_bytes_per_cta) {
    return describe(variant) + " needs " + readable_bytes(smem_bytes) + " of shared memory a CTA and " + device.name +
           " has " + readable_bytes(device.smem_bytes_per_cta) + "; a config with smaller tiles would work";
  }
  if (tile.threads > attributes.maxThreadsPerBlock) {
    return describe(variant) + " has CTAs of " + std::to_string(tile.threads) + " threads with " +
           std::to_string(attributes.numRegs) + " registers each and " + device.name + " has room for " +
           std::to_string(attributes.maxThreadsPerBlock) + " such threads; a config with fewer warps would work";
  }
  allow_shared_memory(variant);
  if (ctas_per_sm(variant) == 0) {
    return "no SM of " + device.name + " has room for a CTA of " + describe(variant) +
           "; a config with smaller tiles would work";
  }
  return std::nullopt;
}

Resources variant_resources(const Variant& variant) {
  const cudaFuncAttributes attributes = attributes_of(variant);
  allow_shared_memory(variant);
  return {.registers = attributes.numRegs,
          .smem_bytes = static_cast<int>(attributes.sharedSizeBytes) + variant.tile.smem_bytes,
          .spill_bytes = static_cast<int>(attributes.localSizeBytes),
          .ctas_per_sm = ctas_per_sm(variant)};
}

void allow_shared_memory(const Variant& variant) {
  check_cuda(
      cudaFuncSetAttribute(symbol_of(variant), cudaFuncAttributeMaxDynamicSharedMemorySize, variant.tile.smem_bytes),
      ("giving " + describe(variant) + " " + readable_bytes(variant.tile.smem_bytes) + " of shared memory").c_str());
}

void launch_variant(const Variant& variant, const Problem& problem, LaunchArguments arguments, CUstream_st* stream) {
  const TileShape& tile = variant.tile;
  const dim3 grid(problem.seqlen / tile.tile_rows, problem.heads, problem.batch);
  void* parameters[] = {&arguments.q, &arguments.k, &arguments.v, &arguments.o, &arguments.seqlen, &arguments.heads};
  const cudaError_t error =
      cudaLaunchKernel(symbol_of(variant), grid, dim3(tile.threads), parameters, tile.smem_bytes, stream);
  if (error != cudaSuccess) {  // the name is looked up here alone: a launch is part of what is timed
    cudaGetLastError();        // CUDA would report this error once more after the next launch
    check_cuda(error, ("launching " + describe(variant)).c_str());
  }
}

}  // namespace flash_steps
