// What the tests of the GPU share: one GPU a process, and skipping where there is none.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "harness/base/error.h"
#include "harness/contract/problem.h"
#include "harness/contract/registry.h"
#include "harness/machine/machine.h"

namespace flash_steps {

struct TestGpu {
  std::unique_ptr<Machine> machine;
  std::string why_not;  ///< if there is no machine
};

inline TestGpu& test_gpu() {
  static TestGpu gpu = [] {
    try {
      return TestGpu{make_gpu(), ""};
    } catch (const MachineError& error) {
      return TestGpu{nullptr, error.what()};
    }
  }();
  return gpu;
}

class GpuTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!test_gpu().machine) GTEST_SKIP() << test_gpu().why_not;
  }

  Machine& gpu() { return *test_gpu().machine; }
  Stopwatch& stopwatch() { return *gpu().stopwatch(); }
};

/// A variant that needs nothing but Q, K, V and O, for tests of what is around the kernels.
inline const Variant& any_variant() { return of_chapter(sixteen).front()->gpu().front(); }

template <typename Parameter>
class GpuTestWith : public GpuTest, public testing::WithParamInterface<Parameter> {};

/// Every distribution in every type.
struct InputCase {
  Dtype dtype;
  InputDistribution inputs;
};

inline std::vector<InputCase> all_input_cases() {
  std::vector<InputCase> cases;
  for (Dtype dtype : all_dtypes) {
    for (InputDistribution inputs : all_distributions) cases.push_back({dtype, inputs});
  }
  return cases;
}

inline std::string name_of_case(const testing::TestParamInfo<InputCase>& info) {
  return std::string(name_of(info.param.dtype)) + "_" + name_of(info.param.inputs);
}

inline void PrintTo(const InputCase& input_case, std::ostream* out) {
  *out << name_of(input_case.dtype) << " " << name_of(input_case.inputs);
}

}  // namespace flash_steps
