// The GPU and the CPU start from the same bits.
#include "harness/gpu/truth/inputs.h"

#include "tests/support/gpu_test.h"

namespace flash_steps {
namespace {

using GpuInputs = GpuTestWith<InputCase>;

TEST_P(GpuInputs, EqualTheCpusBitForBit) {
  for (uint64_t seed : {1u, 77u}) {
    const Problem problem{
        .batch = 2, .heads = 3, .seqlen = 200, .dtype = GetParam().dtype, .inputs = GetParam().inputs, .seed = seed};
    const DeviceInputs on_gpu = make_device_inputs(problem);
    const HostInputs on_cpu = make_inputs(problem);
    EXPECT_TRUE(on_gpu.q.to_host() == on_cpu.q);
    EXPECT_TRUE(on_gpu.k.to_host() == on_cpu.k);
    EXPECT_TRUE(on_gpu.v.to_host() == on_cpu.v);
  }
}

INSTANTIATE_TEST_SUITE_P(, GpuInputs, testing::ValuesIn(all_input_cases()), name_of_case);

}  // namespace
}  // namespace flash_steps
