// Wavefronts and sectors of access patterns whose count can be told by hand.

#include "harness/emulator/memory/counting.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "tests/support/emulator_fixture.h"

namespace flash_steps::emulator {
namespace {

int wavefronts_of(int width, const std::function<uint32_t(int lane)>& address) {
  std::array<uint32_t, 32> addresses;
  for (int lane = 0; lane < 32; lane++) addresses[lane] = shared_base() + address(lane);
  return wavefronts(addresses, width);
}

TEST(Wavefronts, OfFourByteAccessesAreTheMostWordsInABank) {
  EXPECT_EQ(wavefronts_of(4, [](int lane) { return lane * 4; }), 1);
  EXPECT_EQ(wavefronts_of(4, [](int lane) { return lane * 8; }), 2);
  EXPECT_EQ(wavefronts_of(4, [](int lane) { return lane * 16; }), 4);
  EXPECT_EQ(wavefronts_of(4, [](int lane) { return lane * 128; }), 32);
  EXPECT_EQ(wavefronts_of(4, [](int lane) { return lane * 132; }), 1) << "a padded column";
  EXPECT_EQ(wavefronts_of(4, [](int lane) { return lane * 12; }), 1) << "an odd stride";
}

TEST(Wavefronts, OfOneWordReadByAllLanesAreOne) {
  EXPECT_EQ(wavefronts_of(4, [](int) { return 64; }), 1);
  EXPECT_EQ(wavefronts_of(4, [](int lane) { return lane / 4 * 256; }), 8) << "eight words, all in bank 0";
  EXPECT_EQ(wavefronts_of(4, [](int lane) { return lane % 2 * 128; }), 2);
}

TEST(Wavefronts, DoNotDependOnWhichLaneWantsWhichWord) {
  EXPECT_EQ(wavefronts_of(4, [](int lane) { return (31 - lane) * 4; }), 1);
  EXPECT_EQ(wavefronts_of(4, [](int lane) { return (lane * 7 % 32) * 4; }), 1);
  EXPECT_EQ(wavefronts_of(4, [](int lane) { return (lane ^ 21) * 4; }), 1);
}

TEST(Wavefronts, OfEightByteAccessesComeInTwoPhases) {
  EXPECT_EQ(phases(8), 2);
  EXPECT_EQ(wavefronts_of(8, [](int lane) { return lane * 8; }), 2);
  EXPECT_EQ(wavefronts_of(8, [](int lane) { return lane * 128; }), 32);
  EXPECT_EQ(wavefronts_of(8, [](int) { return 0; }), 2);
  EXPECT_EQ(wavefronts_of(8, [](int lane) { return lane / 16 * 128 + lane % 16 * 8; }), 2) << "phases do not collide";
}

TEST(Wavefronts, OfSixteenByteAccessesComeInFourPhases) {
  EXPECT_EQ(phases(16), 4);
  EXPECT_EQ(wavefronts_of(16, [](int lane) { return lane * 16; }), 4);
  EXPECT_EQ(wavefronts_of(16, [](int) { return 0; }), 4);
  EXPECT_EQ(wavefronts_of(16, [](int lane) { return lane * 32; }), 8);
  EXPECT_EQ(wavefronts_of(16, [](int lane) { return lane % 8 * 16 + lane / 8 * 128; }), 4);
  // One phase of eight lanes collides, the other three do not.
  EXPECT_EQ(wavefronts_of(16, [](int lane) { return lane < 8 ? lane * 128 : lane * 16; }), 8 + 3);
}

TEST(Wavefronts, OfRows256BytesApartAreEightAPhase) {
  EXPECT_EQ(wavefronts_of(16, [](int lane) { return lane * 256; }), 32);
  EXPECT_EQ(wavefronts_of(16, [](int lane) { return lane % 16 * 256 + lane / 16 * 16; }), 32);
}

TEST(Wavefronts, OfRows256BytesApartWithSwizzledChunksAreOneAPhase) {
  for (int chunk = 0; chunk < 16; chunk++) {
    EXPECT_EQ(wavefronts_of(16, [&](int lane) { return lane * 256 + (chunk ^ lane % 8) * 16; }), 4);
  }
  EXPECT_EQ(wavefronts_of(16, [](int lane) { return lane * 256 + (lane % 4) * 16; }), 8) << "four columns do not do";
}

std::pair<int, int> load_cost_of(int width, const std::function<uint32_t(int lane)>& address) {
  std::array<uint32_t, 32> addresses;
  for (int lane = 0; lane < 32; lane++) addresses[lane] = shared_base() + address(lane);
  const SharedCost cost = load_cost(addresses, width);
  return {cost.wavefronts, cost.ideal};
}

TEST(Wavefronts, OfALoadAreHalfWhereLanesWantTheSameInPairs) {
  using Cost = std::pair<int, int>;  // and the ideal
  EXPECT_EQ(load_cost_of(8, [](int lane) { return lane / 4 * 8; }), Cost(1, 1))
      << "L and D of a row, as v09 loads them";
  EXPECT_EQ(load_cost_of(8, [](int lane) { return lane / 2 * 8; }), Cost(1, 1)) << "lanes i and i ^ 1";
  EXPECT_EQ(load_cost_of(8, [](int lane) { return (lane / 4 * 2 + lane % 2) * 8; }), Cost(1, 1)) << "i and i ^ 2";
  EXPECT_EQ(load_cost_of(16, [](int lane) { return lane / 2 * 16; }), Cost(2, 2));
  EXPECT_EQ(load_cost_of(8, [](int lane) { return lane / 2 * 128; }), Cost(16, 1)) << "pairs that collide";
  EXPECT_EQ(load_cost_of(8, [](int lane) { return lane % 4 * 8; }), Cost(2, 2)) << "the same four words, not in pairs";
  EXPECT_EQ(load_cost_of(16, [](int lane) { return lane % 4 * 16; }), Cost(4, 4)) << "as v08 loads L and D";
  EXPECT_EQ(load_cost_of(8, [](int lane) { return lane < 31 ? lane / 2 * 8 : 0; }), Cost(2, 2)) << "all but one";
  EXPECT_EQ(load_cost_of(4, [](int lane) { return lane / 2 * 4; }), Cost(1, 1)) << "one phase cannot be halved";
}

int sectors_of(const std::function<uintptr_t(int lane)>& address) {
  std::array<uintptr_t, 32> addresses;
  for (int lane = 0; lane < 32; lane++) addresses[lane] = 4096 + address(lane);
  return sectors(addresses);
}

TEST(Sectors, AreDistinct32BytePiecesOfAnInstruction) {
  EXPECT_EQ(sectors_of([](int lane) { return lane * 16; }), 16);
  EXPECT_EQ(sectors_of([](int lane) { return lane * 32; }), 32);
  EXPECT_EQ(sectors_of([](int lane) { return lane * 256; }), 32);
  EXPECT_EQ(sectors_of([](int) { return 0; }), 1);
  EXPECT_EQ(sectors_of([](int lane) { return (31 - lane) * 16; }), 16) << "in any order";
  EXPECT_EQ(sectors_of([](int lane) { return lane / 16 * 4096 + lane % 16 * 16; }), 16) << "two rows";
  EXPECT_EQ(sectors_of([](int lane) { return 16 + lane * 16; }), 17) << "beginning in the middle of one";
}

TEST(Counters, OfStoresAndLoadsFollowTheirAddresses) {
  const LaunchReport report = run_cta(32, 32 * 256, {}, [] {
    st_shared_4(shared_base() + threadIdx.x * 128, 0);  // a column: 32 wavefronts
    st_shared_4(shared_base() + threadIdx.x * 128 + 4, 0);
    st_shared_4(shared_base() + threadIdx.x * 128 + 8, 0);
    st_shared_4(shared_base() + threadIdx.x * 128 + 12, 0);
    ld_shared_16(shared_base() + threadIdx.x * 128);  // eight a phase
  });
  EXPECT_TRUE(report.hazards.empty());
  EXPECT_EQ(report.counters.shared_store, (AccessCounters{4, 128, 4, 0}));
  EXPECT_EQ(report.counters.shared_store.bank_conflicts(), 124u);
  EXPECT_EQ(report.counters.shared_load, (AccessCounters{1, 32, 4, 0}));
  EXPECT_EQ(report.counters.shared_wavefronts(), 160u);
  EXPECT_EQ(report.counters.shared_ideal_wavefronts(), 8u);
}

TEST(Counters, OfCopiesHaveBothWavefrontsAndSectors) {
  const TestBuffer in("in", 32 * 256, false);
  const LaunchReport report = run_cta(32, 32 * 256, {in.view()}, [&] {
    cp_async_16(shared_base() + threadIdx.x * 256, in.as<std::byte>() + threadIdx.x * 16);
    cp_async_commit();
    cp_async_wait<0>();
  });
  EXPECT_EQ(report.counters.cp_async, (AccessCounters{1, 32, 4, 16}));
  EXPECT_EQ(report.counters.hbm_bytes_read, 512u);
}

TEST(Counters, OfTheMemoryBehindTheCachesTakeEachSectorOfTheLaunchOnce) {
  const TestBuffer in("in", 1024, false);
  const TestBuffer out("out", 2048, true);
  const LaunchReport report = launch({.grid_x = 4, .buffers = {in.view(), out.view()}, .host_threads = 2}, [&] {
    const Chunk chunk = ld_global_16(in.as<Chunk>() + threadIdx.x);  // the same 512 bytes for all CTAs
    st_global_16(out.as<Chunk>() + blockIdx.x * 32 + threadIdx.x, chunk);
  });
  EXPECT_TRUE(report.hazards.empty());
  EXPECT_EQ(report.counters.global_load, (AccessCounters{4, 0, 0, 64, 16}));
  EXPECT_EQ(report.counters.global_store, (AccessCounters{4, 0, 0, 64}));
  EXPECT_EQ(report.counters.hbm_bytes_read, 512u);
  EXPECT_EQ(report.counters.hbm_bytes_written, 2048u);
}

TEST(Counters, OfBarriersAndShufflesAreByWarpAndLeaveOutWarpBarriers) {
  const LaunchReport report = run_cta(96, 0, {}, [] {
    barrier();
    warp_barrier();
    shfl_xor(1, 1);
    shfl_xor(1, 2);
  });
  EXPECT_EQ(report.counters.barrier_instructions, 3u);
  EXPECT_EQ(report.counters.shuffle_instructions, 6u);
}

void store_own_word() { st_shared_4(shared_base() + threadIdx.x * 4, 0); }

TEST(LineCounters, BelongToTheLineThatCallsTheWord) {
  int line = 0;
  const LaunchReport report = run_cta(64, 256, {}, [&] {
    store_own_word();
    line = __LINE__ + 1;
    for (int i = 0; i < 5; i++) shfl_xor(1, 1);
    store_own_word();
  });
  ASSERT_EQ(report.lines.size(), 2u);
  EXPECT_EQ(report.lines[0].word, "st_shared_4");
  EXPECT_EQ(report.lines[0].file, __FILE__);
  EXPECT_EQ(report.lines[0].instructions, 4u) << "both calls of the helper";
  EXPECT_EQ(report.lines[0].wavefronts, 4u);
  EXPECT_EQ(report.lines[1].word, "shfl_xor");
  EXPECT_EQ(report.lines[1].line, line);
  EXPECT_EQ(report.lines[1].instructions, 10u);
}

}  // namespace
}  // namespace flash_steps::emulator
