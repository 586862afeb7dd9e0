// Lanes, warps and CTAs: who runs, in which order, and that the order shows nowhere.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>

#include "tests/support/emulator_fixture.h"

namespace flash_steps::emulator {
namespace {

TEST(Scheduling, RunsEachThreadOfEachCtaOnceWithItsCoordinates) {
  std::set<std::tuple<unsigned, unsigned, unsigned, unsigned>> seen;
  int runs = 0;
  launch({.grid_x = 3, .grid_y = 2, .grid_z = 2, .threads = 64}, [&] {
    EXPECT_EQ(blockDim, (Dim3{64, 1, 1}));
    EXPECT_EQ(gridDim, (Dim3{3, 2, 2}));
    shfl_xor(0, 1);  // the coordinates outlast a change of lanes
    seen.emplace(blockIdx.x, blockIdx.y, blockIdx.z, threadIdx.x);
    runs++;
  });
  EXPECT_EQ(runs, 3 * 2 * 2 * 64);
  EXPECT_EQ(seen.size(), size_t{3} * 2 * 2 * 64);
  EXPECT_EQ(*seen.rbegin(), std::tuple(2u, 1u, 1u, 63u));
}

TEST(Scheduling, HoldsWarpsAtABarrierUntilAllHaveCome) {
  int arrived = 0;
  int seen_by_all = 1000;
  run_cta(128, 0, {}, [&] {
    arrived++;
    barrier();
    seen_by_all = std::min(seen_by_all, arrived);
  });
  EXPECT_EQ(seen_by_all, 128);
}

// Sums 4 chunks of floats per lane over the CTA: copies, barriers, shuffles, shared memory, both ways.
void reduce(const TestBuffer& in, const TestBuffer& out) {
  const uint32_t cta = blockIdx.x;
  cp_async_16(chunk_of(threadIdx.x), in.as<Chunk>() + cta * 128 + threadIdx.x);
  cp_async_commit();
  cp_async_wait<0>();
  barrier();
  const Chunk other = ld_shared_16(chunk_of(127 - threadIdx.x));
  float sum = 0;
  for (const uint32_t word : other.words) sum += static_cast<float>(word);
  for (int mask = 1; mask < 32; mask *= 2) sum += shfl_xor(sum, mask);
  barrier();
  for (uint32_t i = 0; i < 4; i++) st_shared_4(chunk_of(threadIdx.x) + i * 4, static_cast<uint32_t>(sum) + i);
  st_global_16(out.as<Chunk>() + cta * 128 + threadIdx.x, ld_shared_16(chunk_of(threadIdx.x)));
}

struct ReducedRun {
  LaunchReport report;
  std::vector<uint32_t> output;
};

ReducedRun run_reduce(int host_threads, uint64_t seed) {
  const TestBuffer in("in", 16 * 2048, false);
  const TestBuffer out("out", 16 * 2048, true);
  for (uint32_t i = 0; i < 16 * 512; i++) in.as<uint32_t>()[i] = i % 97;
  ReducedRun run;
  run.report = launch({.grid_x = 16,
                       .threads = 128,
                       .smem_bytes = 2048,
                       .buffers = {in.view(), out.view()},
                       .host_threads = host_threads,
                       .lane_order_seed = seed},
                      [&] { reduce(in, out); });
  run.output.assign(out.as<uint32_t>(), out.as<uint32_t>() + 16 * 512);
  return run;
}

TEST(Scheduling, GivesTheSameResultsAndCountersInAnyOrderAndOnAnyNumberOfHostThreads) {
  const ReducedRun one = run_reduce(1, 0);
  EXPECT_TRUE(one.report.hazards.empty());
  for (const auto& [threads, seed] : {std::pair{2, 0}, {7, 0}, {1, 1}, {1, 2}, {3, 12345}, {0, 9}}) {
    const ReducedRun other = run_reduce(threads, seed);
    EXPECT_TRUE(other.report.hazards.empty());
    EXPECT_EQ(other.output, one.output);
    EXPECT_EQ(other.report.counters, one.report.counters);
    ASSERT_EQ(other.report.lines.size(), one.report.lines.size());
    for (size_t i = 0; i < one.report.lines.size(); i++) {
      EXPECT_EQ(other.report.lines[i].line, one.report.lines[i].line);
      EXPECT_EQ(other.report.lines[i].instructions, one.report.lines[i].instructions);
    }
  }
}

TEST(Scheduling, ReportsTheSameHazardsOnAnyNumberOfHostThreads) {
  const TestBuffer out("out", 4096, true);
  const auto hazards = [&](int host_threads) {
    const LaunchReport report = launch(
        {.grid_x = 24, .threads = 64, .smem_bytes = 1024, .buffers = {out.view()}, .host_threads = host_threads}, [&] {
          if (blockIdx.x >= 5) ld_shared_16(chunk_of(threadIdx.x));
          if (blockIdx.x >= 9) ld_shared_16(chunk_of(threadIdx.x + 1));
          st_global_16(out.as<Chunk>() + blockIdx.x / 3 * 16 + threadIdx.x % 16, {});
          if (blockIdx.x == 20 && threadIdx.x >= 32) return;
          barrier();
        });
    std::vector<std::string> texts;
    for (const Hazard& hazard : report.hazards) texts.push_back(to_string(hazard));
    return texts;
  };
  const std::vector<std::string> one = hazards(1);
  EXPECT_GE(one.size(), 5u);
  EXPECT_NE(one[0].find("CTA (1, 0, 0)"), std::string::npos) << one[0];
  for (const int threads : {2, 3, 8}) EXPECT_EQ(hazards(threads), one);
}

TEST(Scheduling, UnwindsTheLanesOfACtaThatCannotGoOn) {
  const auto alive = std::make_shared<int>();
  const LaunchReport report = launch({.grid_x = 3, .threads = 64}, [&] {
    const std::shared_ptr<int> held = alive;
    if (threadIdx.x < 32) barrier();
  });
  EXPECT_EQ(report.hazards.size(), 1u);
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(Scheduling, GoesOnWithTheNextCtaAfterOneThatCouldNot) {
  std::vector<unsigned> finished;
  launch({.grid_x = 4, .threads = 64}, [&] {
    if (blockIdx.x == 1 && threadIdx.x < 32) return;
    barrier();
    if (threadIdx.x == 0) finished.push_back(blockIdx.x);
  });
  EXPECT_EQ(finished, (std::vector<unsigned>{0, 2, 3}));
}

TEST(Scheduling, PassesOnWhatAThreadThrows) {
  const auto alive = std::make_shared<int>();
  for (const int host_threads : {1, 3}) {
    EXPECT_THROW(launch({.grid_x = 8, .threads = 64, .host_threads = host_threads},
                        [&] {
                          const std::shared_ptr<int> held = alive;
                          barrier();
                          if (blockIdx.x == 2 && threadIdx.x == 40) throw std::domain_error("from a lane");
                          barrier();
                        }),
                 std::domain_error);
  }
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(Scheduling, RefusesWhatNoGpuWouldLaunch) {
  const auto nothing = [] {};
  EXPECT_THROW(launch({.threads = 48}, nothing), std::invalid_argument);
  EXPECT_THROW(launch({.threads = 2048}, nothing), std::invalid_argument);
  EXPECT_THROW(launch({.grid_x = 0}, nothing), std::invalid_argument);
  EXPECT_THROW(launch({.smem_bytes = -4}, nothing), std::invalid_argument);
  const TestBuffer buffer("in", 512, false);
  GlobalBuffer shifted = buffer.view();
  shifted.data += 16;
  EXPECT_THROW(launch({.buffers = {shifted}}, nothing), std::invalid_argument);
}

TEST(Scheduling, RunsTheLargestCtaOnManyHostThreads) {
  const LaunchReport report = launch({.grid_x = 40, .threads = 1024, .host_threads = 64}, [] {
    for (int i = 0; i < 3; i++) barrier();
  });
  EXPECT_TRUE(report.hazards.empty());
  EXPECT_EQ(report.counters.barrier_instructions, 40u * 32 * 3);
}

}  // namespace
}  // namespace flash_steps::emulator
