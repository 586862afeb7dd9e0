#include "harness/gpu/cuda/check.cuh"
#include "harness/gpu/truth/inputs.h"

namespace flash_steps {
namespace {

__global__ void generate(InputGenerator element, Tensor tensor, uint16_t* bits, int64_t size) {
  const int64_t threads = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < size; i += threads) bits[i] = element(tensor, i);
}

}  // namespace

DeviceInputs make_device_inputs(const Problem& problem) {
  const DeviceArray<uint16_t> table(input_table(problem));
  const InputGenerator element{problem, table.data()};
  const auto make = [&](Tensor tensor) {
    DeviceArray<uint16_t> bits(elements_of(problem, tensor));
    generate<<<4096, 256>>>(element, tensor, bits.data(), bits.size());
    check_launch("the generator of inputs");
    return bits;
  };
  DeviceInputs inputs{make(Tensor::q), make(Tensor::k), make(Tensor::v), {}};
  if (problem.pass != Pass::forward) inputs.d_o = make(Tensor::d_o);
  wait_for_gpu("the generator of inputs");
  return inputs;
}

}  // namespace flash_steps
