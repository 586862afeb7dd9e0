// The words under a predicate: lanes of which it does not hold touch no global memory, wherever their address points.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/machine/counters.h"
#include "tests/support/emulator_fixture.h"

namespace flash_steps::emulator {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Copies the first `there` of the 32 chunks of q to o, by way of shared memory; q has `chunks` of them.
LaunchReport copy(int chunks, int there, const TestBuffer& q, const TestBuffer& o) {
  for (int i = 0; i < chunks * 4; i++) q.as<uint32_t>()[i] = 1 + i;
  return run_cta(32, 512, {q.view(), o.view()}, [&] {
    const int lane = lane_number();
    cp_async_16_or_zeros(chunk_of(threadIdx.x), q.as<Chunk>() + lane, lane < there);
    cp_async_commit();
    cp_async_wait<0>();
    st_global_16_no_allocate(o.as<Chunk>() + lane, ld_shared_16(chunk_of(threadIdx.x)));
  });
}

TEST(PredicatedWords, CopyWhatIsThereAndZerosForTheRest) {
  const TestBuffer q("q", 5 * 16, false), o("o", 32 * 16, true);
  std::memset(o.as<std::byte>(), 0xff, 32 * 16);
  const LaunchReport report = copy(5, 5, q, o);
  EXPECT_THAT(report.hazards, IsEmpty());
  for (uint32_t i = 0; i < 32 * 4; i++) EXPECT_EQ(o.as<uint32_t>()[i], i < 20 ? i + 1 : 0) << i;
}

TEST(PredicatedWords, CountOnlyTheSectorsOfWhatIsThere) {
  const TestBuffer q("q", 5 * 16, false), o("o", 32 * 16, true);
  const LaunchReport report = copy(5, 5, q, o);
  EXPECT_EQ(report.counters.cp_async.instructions, 1u);
  EXPECT_EQ(report.counters.cp_async.wavefronts, 4u) << "zeros are written as anything else";
  EXPECT_EQ(report.counters.cp_async.sectors, 3u);
  EXPECT_EQ(report.counters.hbm_bytes_read, 3u * 32);
  EXPECT_EQ(copy(5, 0, q, o).counters.cp_async.sectors, 0u);
}

TEST(PredicatedWords, ReportACopyOfWhatIsNotThere) {
  const TestBuffer q("q", 5 * 16, false), o("o", 32 * 16, true);
  const LaunchReport report = copy(5, 6, q, o);
  ASSERT_THAT(report.hazards, SizeIs(1));
  EXPECT_EQ(report.hazards[0].kind, HazardKind::global_out_of_bounds);
  EXPECT_THAT(to_string(report.hazards[0]), HasSubstr("cp_async_16_or_zeros at predicated_words_test.cpp:"));
}

TEST(PredicatedWords, AZeroThatNobodyWaitsForIsAsMuchUnderWayAsACopy) {
  const LaunchReport report = run_cta(32, 512, {}, [&] {
    cp_async_16_or_zeros(chunk_of(threadIdx.x), nullptr, false);
    cp_async_commit();
    ld_shared_16(chunk_of(threadIdx.x));
    cp_async_wait<0>();
  });
  ASSERT_THAT(report.hazards, SizeIs(1));
  EXPECT_EQ(report.hazards[0].kind, HazardKind::read_of_copy_in_flight);
}

TEST(PredicatedWords, StoreInTheLanesWhoseConditionHolds) {
  const TestBuffer o("o", 3 * 16, true), lse("lse", 2 * 4, true);
  const LaunchReport report = run_cta(32, 0, {o.view(), lse.view()}, [&] {
    const uint32_t lane = threadIdx.x;
    st_global_16_no_allocate_if(lane < 3, o.as<Chunk>() + lane, {{lane, lane, lane, lane}});
    st_global_4_if(lane < 2, lse.as<uint32_t>() + lane, lane + 7);
  });
  EXPECT_THAT(report.hazards, IsEmpty());
  EXPECT_EQ(o.as<uint32_t>()[11], 2u);
  EXPECT_EQ(lse.as<uint32_t>()[1], 8u);
  EXPECT_EQ(report.counters.global_store.instructions, 2u);
  EXPECT_EQ(report.counters.global_store.sectors, 2u + 1);
}

TEST(PredicatedWords, ReportAStoreBehindTheEnd) {
  const TestBuffer o("o", 3 * 16, true);
  const LaunchReport report = run_cta(
      32, 0, {o.view()}, [&] { st_global_16_no_allocate_if(threadIdx.x < 4, o.as<Chunk>() + threadIdx.x, {}); });
  ASSERT_THAT(report.hazards, SizeIs(1));
  EXPECT_EQ(report.hazards[0].kind, HazardKind::global_out_of_bounds);
}

}  // namespace
}  // namespace flash_steps::emulator
