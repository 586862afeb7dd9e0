// The gradients' reference on the GPU: the same as on the CPU.
#include "harness/gpu/truth/gradients.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "harness/gpu/truth/compare.h"
#include "harness/truth/gradients.h"
#include "harness/truth/numbers.h"
#include "tests/support/gpu_test.h"

namespace flash_steps {
namespace {

class DeviceReferenceOfGradients : public GpuTest {};

struct OnGpu {
  DeviceGradients<float> exact;
  DeviceGradients<uint16_t> ref16;
};

OnGpu on_gpu(const Problem& problem, Precision precision) {
  const DeviceInputs inputs = make_device_inputs(problem);
  DeviceArray<float> o(problem.elements()), lse(problem.rows());
  DeviceArray<uint16_t> o16(problem.elements());
  device_reference(problem, inputs, precision, o, o16, lse);
  OnGpu result{DeviceGradients<float>(problem), DeviceGradients<uint16_t>(problem)};
  device_gradients(problem, inputs, precision, o, o16, result.exact, result.ref16);
  return result;
}

// `tolerance` is relative to the largest element. Roundings to 16 bits may fall to either side.
void expect_equal(const char* name, const DeviceArray<float>& exact, const DeviceArray<uint16_t>& ref16,
                  const Reference& reference, Dtype dtype, double tolerance) {
  const std::vector<float> values = exact.to_host();
  const std::vector<uint16_t> bits = ref16.to_host();
  ASSERT_EQ(values.size(), reference.exact.size());
  double largest = 0, error = 0, error16 = 0, of_cpu16 = 0;
  for (size_t i = 0; i < values.size(); i++) {
    largest = std::max(largest, std::abs(reference.exact[i]));
    error = std::max(error, std::abs(values[i] - reference.exact[i]));
    error16 = std::max(error16, std::abs(to_double(bits[i], dtype) - reference.exact[i]));
    of_cpu16 = std::max(of_cpu16, std::abs(reference.ref16[i] - reference.exact[i]));
  }
  EXPECT_LE(error, tolerance * largest) << name;
  EXPECT_LE(error16, 1.5 * of_cpu16 + rounding_step(largest, dtype)) << name;
  EXPECT_GE(error16, of_cpu16 / 1.5 - rounding_step(largest, dtype)) << name;
}

void expect_equal_to_cpu(const Problem& problem, Precision precision) {
  SCOPED_TRACE(describe(problem) + ", " + name_of(precision));
  const HostInputs inputs = make_inputs(problem);
  const Gradients cpu = reference_gradients(problem, inputs, reference_attention(problem, inputs));
  const OnGpu gpu = on_gpu(problem, precision);
  const double tolerance = precision == Precision::fp64 ? 1e-6 : 2e-5;
  expect_equal("dq", gpu.exact.dq, gpu.ref16.dq, cpu.dq, problem.dtype, tolerance);
  expect_equal("dk", gpu.exact.dk, gpu.ref16.dk, cpu.dk, problem.dtype, tolerance);
  expect_equal("dv", gpu.exact.dv, gpu.ref16.dv, cpu.dv, problem.dtype, tolerance);
}

TEST_F(DeviceReferenceOfGradients, EqualsTheOneOfTheCpu) {
  for (const Dtype dtype : all_dtypes) {
    for (const Precision precision : {Precision::fp64, Precision::fp32}) {
      for (const int head_dim : {32, 64, 128}) {
        expect_equal_to_cpu(
            {.batch = 2, .heads = 2, .seqlen = 97, .head_dim = head_dim, .dtype = dtype, .pass = Pass::backward},
            precision);
      }
    }
  }
}

// A mask, groups, other numbers of keys, dropout and packed sequences.
TEST_F(DeviceReferenceOfGradients, EqualsTheOneOfTheCpuForTheVariants) {
  for (const int keys : {41, 130}) {
    Problem problem{
        .batch = 2, .heads = 4, .seqlen = 70, .head_dim = 64, .seqlen_kv = keys, .kv_heads = 2, .pass = Pass::backward};
    expect_equal_to_cpu(problem, Precision::fp64);
    problem.mask = Mask::causal;
    expect_equal_to_cpu(problem, Precision::fp64);
    problem.dropout = 0.5;
    expect_equal_to_cpu(problem, Precision::fp64);
    problem.padding = 20;
    expect_equal_to_cpu(problem, Precision::fp64);
  }
}

}  // namespace
}  // namespace flash_steps
