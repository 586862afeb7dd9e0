// The emulator is fast enough to be used at every change. See also tests/benchmark/emulator_benchmark.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>

#include "harness/backend.h"
#include "harness/registry.h"

#if defined(__SANITIZE_ADDRESS__) || !defined(NDEBUG)
#define FLASH_STEPS_SLOW_BUILD 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FLASH_STEPS_SLOW_BUILD 1
#endif
#endif

namespace flash_steps {
namespace {

// Of the calling thread, which does all the work where the emulator has one host thread. It does not run while others
// have the core, so that a busy machine measures about what an idle one does.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

class EmulatorSpeed : public testing::TestWithParam<const Kernel*> {
 protected:
  // The first config that covers one head.
  const Variant& variant() const {
    const std::vector<Variant>& variants = GetParam()->emulator;
    return *std::find_if(variants.begin(), variants.end(), [](const Variant& v) { return v.tile.heads <= 1; });
  }
};

TEST_P(EmulatorSpeed, ALaunchOfSeqlen512TakesASecondAtMost) {
#ifdef FLASH_STEPS_SLOW_BUILD
  GTEST_SKIP() << "the promise is one of Release builds without sanitizers";
#endif
  const auto emulator = make_emulator(1);
  emulator->load({.batch = 1, .heads = 1, .seqlen = 512, .dtype = variant().dtype}, false);
  double best = 1e9;
  for (int i = 0; i < 3 && best > 1; i++) {
    const double begin = cpu_seconds();
    emulator->launch(variant());
    best = std::min(best, cpu_seconds() - begin);
  }
  RecordProperty("milliseconds", static_cast<int>(1000 * best));
  EXPECT_LE(best, 1) << "seconds, the best of three launches";
}

std::vector<const Kernel*> all_kernels() {
  std::vector<const Kernel*> pointers;
  for (const Kernel& kernel : kernels()) pointers.push_back(&kernel);
  return pointers;
}

INSTANTIATE_TEST_SUITE_P(Registered, EmulatorSpeed, testing::ValuesIn(all_kernels()),
                         [](const auto& info) { return info.param->name; });

}  // namespace
}  // namespace flash_steps
