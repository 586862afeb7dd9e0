// What the tests of the GPU backend share: one GPU a process, and skipping where there is none.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "harness/contract/problem.h"
#include "harness/machine/backend.h"

namespace flash_steps {

struct TestGpu {
  std::unique_ptr<Backend> backend;
  std::string why_not;  ///< if there is no backend
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
    if (!test_gpu().backend) GTEST_SKIP() << test_gpu().why_not;
  }

  Backend& gpu() { return *test_gpu().backend; }
};

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

inline std::string words_of(const Problem& problem) {
  return "batch " + std::to_string(problem.batch) + ", heads " + std::to_string(problem.heads) + ", seqlen " +
         std::to_string(problem.seqlen) + ", " + name_of(problem.dtype) + ", " + name_of(problem.inputs);
}

}  // namespace flash_steps
