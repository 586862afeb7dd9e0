#include <cuda.h>
#include <cudaTypedefs.h>

#include <cstring>
#include <string>

#include "harness/base/error.h"
#include "harness/gpu/cuda/check.cuh"
#include "harness/gpu/cuda/tensor_map.h"

namespace flash_steps {
namespace {

constexpr unsigned first_cuda_version = 12000;  // that has tensor maps

// From the driver, which nothing is linked with.
PFN_cuTensorMapEncodeTiled_v12000 find_encoder() {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found{};
  check_cuda(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, first_cuda_version,
                                              cudaEnableDefault, &found),
             "asking the driver for tensor maps");
  if (found != cudaDriverEntryPointSuccess)
    throw MachineError("the driver has no tensor maps; one of CUDA 12 would work");
  return reinterpret_cast<PFN_cuTensorMapEncodeTiled_v12000>(function);
}

}  // namespace

TensorMap encode_tensor_map(const TensorMapShape& shape) {
  static_assert(sizeof(TensorMap) == sizeof(CUtensorMap) && alignof(TensorMap) >= alignof(CUtensorMap));
  static const PFN_cuTensorMapEncodeTiled_v12000 encode = find_encoder();
  constexpr uint32_t every_element[] = {1, 1, 1, 1, 1};
  CUtensorMap encoded{};
  const CUresult result =
      encode(&encoded, CU_TENSOR_MAP_DATA_TYPE_UINT16, static_cast<uint32_t>(shape.sizes.size()),
             const_cast<void*>(shape.base), shape.sizes.data(), shape.strides.data(), shape.box.data(), every_element,
             CU_TENSOR_MAP_INTERLEAVE_NONE, shape.swizzle_128 ? CU_TENSOR_MAP_SWIZZLE_128B : CU_TENSOR_MAP_SWIZZLE_NONE,
             CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (result != CUDA_SUCCESS) {
    throw MachineError("the driver refuses a tensor map of boxes of " + std::to_string(shape.box[0]) + " x " +
                       std::to_string(shape.box[1]) + " elements: error " + std::to_string(result));
  }
  TensorMap map;
  std::memcpy(map.bytes.data(), &encoded, sizeof encoded);
  return map;
}

}  // namespace flash_steps
