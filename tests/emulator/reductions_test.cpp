// Additions to global memory: their sums, what is counted, and who may not come near them in one launch.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/hazard_fixture.h"

namespace flash_steps::emulator {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A workspace that an earlier launch has cleared.
class Additions : public HazardTest {
 protected:
  LaunchReport launch_ctas(int ctas, const std::function<void()>& body, int host_threads = 1) {
    GlobalBuffer workspace = memory_.view();
    workspace.written = &written_;
    return launch({.grid_x = ctas, .buffers = {in_.view(), workspace}, .host_threads = host_threads}, body);
  }

  float* number(unsigned i) const { return memory_.as<float>() + i; }

  TestBuffer memory_{"workspace", 2048, true};
  std::vector<bool> written_ = std::vector<bool>(2048 / Accesses::cell_bytes, true);
};

TEST_F(Additions, OfSeveralCtasAndLanesToOneNumberAllCount) {
  const LaunchReport report = launch_ctas(
      5, [&] { red_global_add(number(threadIdx.x / 2), static_cast<float>(blockIdx.x + 1)); }, 3);
  EXPECT_THAT(report.hazards, IsEmpty());
  for (unsigned i = 0; i < 16; i++) EXPECT_EQ(*number(i), 2 * (1 + 2 + 3 + 4 + 5)) << i;
  EXPECT_EQ(*number(16), 0);
}

// Of these summands each order makes another sum, in the last bits.
float sum_of_ctas(int ctas, const std::function<float(int)>& summand) {
  float sum = 0;
  for (int cta = 0; cta < ctas; cta++) sum += summand(cta);
  return sum;
}

TEST_F(Additions, AreDoneInTheOrderOfTheCtasWhateverTheWorkers) {
  constexpr int ctas = 40;
  const auto summand = [](int cta) { return std::pow(-1.7f, static_cast<float>(cta % 11)) / 3; };
  const float sum = sum_of_ctas(ctas, summand);
  ASSERT_NE(sum, sum_of_ctas(ctas, [&](int cta) { return summand(ctas - 1 - cta); })) << "a test that cannot fail";
  for (const int host_threads : {1, 2, 3, 8}) {
    *number(0) = 0;
    launch_ctas(
        ctas,
        [&] {
          // The first ones take longest.
          for (unsigned i = blockIdx.x; i < ctas; i++) warp_barrier();
          if (threadIdx.x < 32) red_global_add(number(threadIdx.x), summand(static_cast<int>(blockIdx.x)));
        },
        host_threads);
    EXPECT_EQ(*number(0), sum) << host_threads;
    for (unsigned i = 0; i < 32; i++) *number(i) = 0;
  }
}

TEST_F(Additions, TurnSubnormalNumbersIntoZeros) {
  const float tiny = std::numeric_limits<float>::denorm_min();
  const float smallest = std::numeric_limits<float>::min();
  *number(0) = tiny * 8;         // the old sum
  *number(1) = 1;                // what is added
  *number(2) = smallest * 1.5f;  // the new sum
  launch_ctas(1, [&] {
    const float summands[] = {0, -tiny, -smallest};
    red_global_add(number(threadIdx.x), threadIdx.x < 3 ? summands[threadIdx.x] : 0);
  });
  EXPECT_EQ(*number(0), 0);
  EXPECT_EQ(*number(1), 1);
  EXPECT_EQ(*number(2), 0);
}

TEST_F(Additions, CountARequestAWarpAndItsSectors) {
  const LaunchReport side_by_side = launch_ctas(2, [&] { red_global_add(number(threadIdx.x), 1); });
  EXPECT_EQ(side_by_side.counters.reduction_instructions, 2u);
  EXPECT_EQ(side_by_side.counters.reduction_sectors, 2u * 4);
  EXPECT_EQ(side_by_side.counters.hbm_bytes_read, 128u);
  EXPECT_EQ(side_by_side.counters.hbm_bytes_written, 128u);
  const LaunchReport apart = launch_ctas(1, [&] { red_global_add(number(threadIdx.x * 8), 1); });
  EXPECT_EQ(apart.counters.reduction_sectors, 32u);
  EXPECT_EQ(apart.counters.global_store, AccessCounters{});
  EXPECT_EQ(apart.counters.global_load, AccessCounters{});
}

TEST_F(Additions, ToWhatNobodyCleared) {
  written_[3] = false;
  const LaunchReport report = launch_ctas(2, [&] {
    late = __LINE__ + 1;
    red_global_add(number(threadIdx.x), 1);
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::global_read_of_unwritten));
  EXPECT_EQ(message(report), "CTA (0, 0, 0), warp 0, lane 3: red_global_add" + at(late) +
                                 " reads byte 12 of workspace, which neither an earlier launch nor this CTA has "
                                 "written: write it before the read.");
}

TEST_F(Additions, ToWhatTheCtaItselfCleared) {
  written_.assign(written_.size(), false);
  const LaunchReport report = launch_ctas(
      3,
      [&] {
        float* const own = number(blockIdx.x * 32 + threadIdx.x);
        st_global_4(own, 0);
        red_global_add(own, 2);
      },
      2);
  EXPECT_THAT(report.hazards, IsEmpty());
  for (unsigned i = 0; i < 96; i++) EXPECT_EQ(*number(i), 2) << i;
}

TEST_F(Additions, BesideALoadOrAStoreOfAnotherCta) {
  for (const int host_threads : {1, 2}) {
    for (const bool is_load : {true, false}) {
      for (const unsigned adder : {0u, 1u}) {
        const LaunchReport report = launch_ctas(
            2,
            [&, is_load, adder] {
              if (blockIdx.x == adder) {
                early = __LINE__ + 1;
                red_global_add(number(threadIdx.x), 1);
              } else if (is_load) {
                late = __LINE__ + 1;
                ld_global_4(number(threadIdx.x));
              } else {
                late = __LINE__ + 1;
                st_global_4(number(threadIdx.x), 0);
              }
            },
            host_threads);
        EXPECT_THAT(kinds(report), ElementsAre(HazardKind::global_sum_conflict)) << host_threads << is_load << adder;
        const std::string other = adder == 0 ? "(1, 0, 0)" : "(0, 0, 0)";
        const std::string own = adder == 0 ? "(0, 0, 0)" : "(1, 0, 0)";
        EXPECT_EQ(message(report), "CTA " + other + ", warp 0, lane 0: " + (is_load ? "ld_global_4" : "st_global_4") +
                                       at(late) + " accesses byte 0 of workspace, to which red_global_add" + at(early) +
                                       " (warp 0, lane 0) of CTA " + own +
                                       " adds in the same launch, before it or after it: let another launch do one of "
                                       "the two.");
      }
    }
  }
}

// Whatever it adds itself: the emulator has not done it yet.
TEST_F(Additions, BesideALoadOfTheSameCta) {
  for (const int ctas : {1, 4}) {
    const LaunchReport report = launch_ctas(ctas, [&] {
      red_global_add(number(threadIdx.x), 1);
      late = __LINE__ + 1;
      ld_global_4(number(threadIdx.x));
    });
    EXPECT_THAT(kinds(report), Contains(HazardKind::global_access_of_sum));
    EXPECT_EQ(message(report), "CTA (0, 0, 0), warp 0, lane 0: ld_global_4" + at(late) +
                                   " accesses byte 0 of workspace, to which this CTA has added before, and others may: "
                                   "let another launch access the sum.");
  }
}

TEST_F(Additions, OfWhichOneCtaStoredBeforeAndOthersAddToo) {
  const LaunchReport report = launch_ctas(
      3,
      [&] {
        if (blockIdx.x == 0) st_global_4(number(threadIdx.x), 0);
        red_global_add(number(threadIdx.x), 1);
      },
      2);
  EXPECT_THAT(kinds(report), AllOf(Each(HazardKind::global_sum_conflict), Contains(HazardKind::global_sum_conflict)));
}

TEST_F(Additions, AreDoneForTheNextLaunch) {
  launch_ctas(
      2, [&] { red_global_add(number(threadIdx.x), 1.5f); }, 2);
  float read[32];
  EXPECT_THAT(
      launch_ctas(1, [&] { read[threadIdx.x] = std::bit_cast<float>(ld_global_4(number(threadIdx.x))); }).hazards,
      IsEmpty());
  EXPECT_THAT(read, Each(3.0f));
}

TEST_F(Additions, ToInputsAndBehindTheEnd) {
  EXPECT_THAT(kinds(launch_ctas(1, [&] { red_global_add(in_.as<float>() + threadIdx.x, 1); })),
              ElementsAre(HazardKind::global_read_only));
  EXPECT_THAT(kinds(launch_ctas(1, [&] { red_global_add(number(500 + threadIdx.x), 1); })),
              ElementsAre(HazardKind::global_out_of_bounds));
}

}  // namespace
}  // namespace flash_steps::emulator
