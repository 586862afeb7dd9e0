// Work spread over threads: all of it is done, whatever the system gives, and an exception comes back.
#include "harness/base/parallel.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace flash_steps {
namespace {

TEST(Parallel, EveryIndexIsVisitedOnce) {
  for (const int threads : {0, 1, 3, 100}) {
    std::vector<std::atomic<int>> visits(1000);
    in_parallel(1000, threads, [&](int64_t i) { visits[i]++; });
    for (const std::atomic<int>& count : visits) EXPECT_EQ(count, 1) << threads;
  }
  in_parallel(0, 4, [](int64_t) { FAIL(); });
}

TEST(Parallel, AnExceptionOfAWorkerIsThrownToTheCaller) {
  const auto message = [](int threads) -> std::string {
    try {
      in_parallel(100, threads, [](int64_t i) {
        if (i >= 3) throw std::runtime_error(std::to_string(i));
      });
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "none";
  };
  EXPECT_EQ(message(1), "3");
  EXPECT_EQ(message(4), "3") << "the lowest index that threw, for what comes before it is taken before it";
}

TEST(Parallel, WorkersAreNumbered) {
  std::vector<std::atomic<int>> visits(5);
  on_workers(5, [&](int worker) { visits[worker]++; });
  for (const std::atomic<int>& count : visits) EXPECT_EQ(count, 1);
}

// In a process of its own, whose address space has no room for the stacks of so many threads.
TEST(ParallelDeathTest, WithoutThreadsTheCallerDoesAllTheWork) {
  const auto work_with_little_memory = [] {
    const rlimit limit{64 << 20, 64 << 20};
    if (setrlimit(RLIMIT_AS, &limit) != 0) std::_Exit(2);
    std::atomic<int64_t> sum = 0;
    in_parallel(1000, 200, [&](int64_t i) { sum += i; });
    std::_Exit(sum == 1000 * 999 / 2 ? 0 : 1);
  };
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer needs more address space than that";
#endif
  EXPECT_EXIT(work_with_little_memory(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace flash_steps
