// Each hazard, planted in a tiny kernel, is caught with both its lines; and what is correct is let pass.
//
// A kernel notes the lines of the two accesses that collide: `early = __LINE__` stands on the line of the word.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/support/emulator_fixture.h"

namespace flash_steps::emulator {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Where the two accesses stand, as messages name it.
int early = 0;
int late = 0;

std::string at(int line) { return " at hazards_test.cpp:" + std::to_string(line); }

std::vector<HazardKind> kinds(const LaunchReport& report) {
  std::vector<HazardKind> list;
  for (const Hazard& hazard : report.hazards) list.push_back(hazard.kind);
  return list;
}

std::string message(const LaunchReport& report, size_t i = 0) {
  return i < report.hazards.size() ? to_string(report.hazards[i]) : "no hazard";
}

// The thread's own chunk, word by word.
void store_chunk(uint32_t address) {
  for (uint32_t i = 0; i < 4; i++) st_shared_4(address + i * 4, i);
}

class HazardTest : public testing::Test {
 protected:
  HazardTest() { early = late = 0; }

  LaunchReport run(int threads, const std::function<void()>& body) {
    return run_cta(threads, 4096, {in_.view(), out_.view()}, body);
  }

  // The thread's chunk of the input.
  const Chunk* source() const { return in_.as<Chunk>() + threadIdx.x; }

  TestBuffer in_{"k", 8192, false};
  TestBuffer out_{"o", 8192, true};
};

// --- Shared memory that is read too early ----------------------------------------------------------------------

using ReadTooEarly = HazardTest;

TEST_F(ReadTooEarly, BytesThatNobodyWrote) {
  const LaunchReport report = run(32, [] {
    late = __LINE__ + 1;
    ld_shared_16(chunk_of(threadIdx.x + 2));
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::read_of_unwritten));
  EXPECT_EQ(message(report), "CTA (0, 0, 0), warp 0, lane 0: ld_shared_16" + at(late) +
                                 " reads byte 32 of shared memory, which no thread of the CTA has written: write or "
                                 "copy it before the read.");
}

TEST_F(ReadTooEarly, AnOwnCopyThatWasNotWaitedFor) {
  const LaunchReport report = run(32, [&] {
    early = __LINE__ + 1;
    cp_async_16(chunk_of(threadIdx.x), source());
    cp_async_commit();
    late = __LINE__ + 1;
    ld_shared_16(chunk_of(threadIdx.x));
    cp_async_wait<0>();
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::read_of_copy_in_flight));
  EXPECT_EQ(message(report), "CTA (0, 0, 0), warp 0, lane 0: ld_shared_16" + at(late) +
                                 " reads byte 0 of shared memory while cp_async_16" + at(early) +
                                 " (warp 0, lane 0) is still copying to it: wait for it with cp_async_wait<0>() before "
                                 "the read.");
}

TEST_F(ReadTooEarly, AnotherThreadsCopyThatWasNotWaitedForInSpiteOfABarrier) {
  uint32_t regs[64][4];
  const LaunchReport report = run(64, [&] {
    early = __LINE__ + 1;
    cp_async_16(chunk_of(threadIdx.x), source());
    cp_async_commit();
    barrier();
    late = __LINE__ + 1;
    ldmatrix_x4(regs[threadIdx.x], chunk_of(threadIdx.x ^ 32));
    barrier();
    cp_async_wait<0>();
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::read_of_copy_in_flight));
  EXPECT_EQ(message(report), "CTA (0, 0, 0), warp 0, lane 0: ldmatrix_x4" + at(late) +
                                 " reads byte 512 of shared memory while cp_async_16" + at(early) +
                                 " (warp 1, lane 0) is still copying to it: wait for it with cp_async_wait<0>() and "
                                 "put a barrier() between wait and read.");
}

TEST_F(ReadTooEarly, ACopyThatWasWaitedForBeforeItWasCommitted) {
  const LaunchReport report = run(32, [&] {
    early = __LINE__ + 1;
    cp_async_16(chunk_of(threadIdx.x), source());
    cp_async_wait<0>();
    late = __LINE__ + 1;
    ld_shared_16(chunk_of(threadIdx.x));
    cp_async_commit();
    cp_async_wait<0>();
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::read_of_copy_in_flight));
  EXPECT_THAT(message(report), testing::HasSubstr("commit it with cp_async_commit() and wait for it with "
                                                  "cp_async_wait<0>() before the read."));
}

TEST_F(ReadTooEarly, AGroupThatAWaitWithTheWrongCountLeavesPending) {
  const LaunchReport report = run(32, [&] {
    for (unsigned stage = 0; stage < 3; stage++) {
      cp_async_16(chunk_of(threadIdx.x + stage * 32), source());
      cp_async_commit();
    }
    cp_async_wait<2>();
    ld_shared_16(chunk_of(threadIdx.x));  // the first group is here
    late = __LINE__ + 1;
    ld_shared_16(chunk_of(threadIdx.x + 32));
    cp_async_wait<0>();
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::read_of_copy_in_flight));
  EXPECT_EQ(report.hazards[0].later.line.line, late);
  EXPECT_EQ(report.hazards[0].byte, 512);
  EXPECT_THAT(message(report), testing::HasSubstr("wait for it with cp_async_wait<1>() before the read."));
}

TEST_F(ReadTooEarly, CountsGroupsForEachThreadAlone) {
  // Warp 1 commits a second group, so the same wait leaves its first one pending no more than warp 0's.
  const LaunchReport report = run(64, [&] {
    cp_async_16(chunk_of(threadIdx.x), source());
    cp_async_commit();
    if (threadIdx.x >= 32) cp_async_commit();
    cp_async_wait<1>();
    ld_shared_16(chunk_of(threadIdx.x));
    cp_async_wait<0>();
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::read_of_copy_in_flight));
  EXPECT_EQ(report.hazards[0].later.warp, 0);
  EXPECT_EQ(report.hazards[0].earlier.warp, 0);
}

TEST_F(ReadTooEarly, AnotherWarpsCopyWithoutABarrierAfterTheWait) {
  const LaunchReport report = run(64, [&] {
    early = __LINE__ + 1;
    cp_async_16(chunk_of(threadIdx.x), source());
    cp_async_commit();
    barrier();  // on the wrong side of the wait
    cp_async_wait<0>();
    late = __LINE__ + 1;
    if (threadIdx.x >= 32) ld_shared_16(chunk_of(threadIdx.x - 32));
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::read_before_barrier));
  EXPECT_EQ(message(report), "CTA (0, 0, 0), warp 1, lane 0: ld_shared_16" + at(late) +
                                 " reads byte 0 of shared memory, which cp_async_16" + at(early) +
                                 " (warp 0, lane 0) copied, with no barrier since its thread waited for the copy: put "
                                 "a barrier() between that wait and the read.");
}

TEST_F(ReadTooEarly, AnotherLanesCopyWithoutABarrierAfterTheWait) {
  const LaunchReport report = run(32, [&] {
    cp_async_16(chunk_of(threadIdx.x), source());
    cp_async_commit();
    warp_barrier();
    cp_async_wait<0>();
    ld_shared_16(chunk_of(threadIdx.x ^ 1));
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::read_before_barrier));
  EXPECT_THAT(message(report), testing::HasSubstr("put a warp_barrier() or barrier() between that wait and the read."));
}

TEST_F(ReadTooEarly, AnotherWarpsStoreWithoutABarrier) {
  const LaunchReport report = run(64, [] {
    early = __LINE__ + 1;
    for (uint32_t i = 0; i < 16; i += 4) st_shared_4(chunk_of(threadIdx.x) + i, 7);
    warp_barrier();  // orders the lanes of a warp alone
    late = __LINE__ + 1;
    if (threadIdx.x >= 32) ld_shared_16(chunk_of(threadIdx.x - 32));
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::read_before_barrier));
  EXPECT_EQ(message(report), "CTA (0, 0, 0), warp 1, lane 0: ld_shared_16" + at(late) +
                                 " reads byte 0 of shared memory, which st_shared_4" + at(early) +
                                 " (warp 0, lane 0) wrote, with no barrier since: put a barrier() between the write "
                                 "and the read.");
}

TEST_F(ReadTooEarly, AnotherLanesStoreWithoutABarrier) {
  const LaunchReport report = run(32, [] {
    store_chunk(chunk_of(threadIdx.x));
    ld_shared_16(chunk_of(threadIdx.x ^ 3));
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::read_before_barrier));
  EXPECT_THAT(message(report), testing::HasSubstr("put a warp_barrier() or barrier() between the write and the read."));
}

// --- Shared memory that is written too early -------------------------------------------------------------------

using WriteTooEarly = HazardTest;

TEST_F(WriteTooEarly, OverWhatAnotherWarpRead) {
  const LaunchReport report = run(64, [] {
    store_chunk(chunk_of(threadIdx.x));
    barrier();
    early = __LINE__ + 1;
    if (threadIdx.x < 32) ld_shared_16(chunk_of(threadIdx.x + 32));
    late = __LINE__ + 1;
    if (threadIdx.x >= 32) st_shared_4(chunk_of(threadIdx.x), 1);
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::write_after_read));
  EXPECT_EQ(message(report), "CTA (0, 0, 0), warp 1, lane 0: st_shared_4" + at(late) +
                                 " writes byte 512 of shared memory, which ld_shared_16" + at(early) +
                                 " (warp 0, lane 0) read, with no barrier since: put a barrier() between the read and "
                                 "the write.");
}

TEST_F(WriteTooEarly, ByACopyOverWhatAnotherWarpRead) {
  uint32_t regs[64][4];
  const LaunchReport report = run(64, [&] {
    store_chunk(chunk_of(threadIdx.x));
    barrier();
    early = __LINE__ + 1;
    ldmatrix_x4(regs[threadIdx.x], chunk_of(threadIdx.x % 32));
    late = __LINE__ + 1;
    cp_async_16(chunk_of(threadIdx.x), source());
    cp_async_commit();
    cp_async_wait<0>();
  });
  // Warp 0 runs first: it copies over its chunks before warp 1 reads them, which is the same hazard seen from behind.
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::read_before_barrier));
  EXPECT_EQ(report.hazards[0].earlier.line.line, late);
  EXPECT_EQ(report.hazards[0].later.line.line, early);

  const LaunchReport mirrored = run(64, [&] {
    store_chunk(chunk_of(threadIdx.x));
    barrier();
    early = __LINE__ + 1;
    ldmatrix_x4(regs[threadIdx.x], chunk_of(threadIdx.x % 32 + 32));
    late = __LINE__ + 1;
    cp_async_16(chunk_of(threadIdx.x), source());
    cp_async_commit();
    cp_async_wait<0>();
  });
  EXPECT_THAT(kinds(mirrored), ElementsAre(HazardKind::write_after_read));
  EXPECT_EQ(mirrored.hazards[0].earlier.line.line, early);
  EXPECT_EQ(mirrored.hazards[0].later.line.line, late);
}

TEST_F(WriteTooEarly, OverWhatAnotherWarpWrote) {
  const LaunchReport report = run(64, [] {
    early = late = __LINE__ + 1;
    st_shared_4(shared_base() + threadIdx.x % 32 * 4, 1);
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::write_after_write));
  EXPECT_EQ(message(report), "CTA (0, 0, 0), warp 1, lane 0: st_shared_4" + at(late) +
                                 " writes byte 0 of shared memory, which st_shared_4" + at(early) +
                                 " (warp 0, lane 0) wrote, with no barrier since: put a barrier() between the two "
                                 "writes.");
}

TEST_F(WriteTooEarly, OverWhatAnotherLaneWrote) {
  const LaunchReport report = run(32, [] { st_shared_4(shared_base() + threadIdx.x / 2 * 4, 1); });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::write_after_write));
  EXPECT_EQ(report.hazards[0].earlier.lane, 0);
  EXPECT_EQ(report.hazards[0].later.lane, 1);
}

TEST_F(WriteTooEarly, OverWhatAnotherWarpCopiedWithoutABarrierAfterTheWait) {
  const LaunchReport report = run(64, [&] {
    cp_async_16(chunk_of(threadIdx.x), source());
    cp_async_commit();
    cp_async_wait<0>();
    if (threadIdx.x >= 32) st_shared_4(chunk_of(threadIdx.x - 32), 1);
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::write_after_write));
  EXPECT_THAT(message(report), testing::HasSubstr("with no barrier since its thread waited for the copy"));
}

TEST_F(WriteTooEarly, OverAnOwnCopyInFlight) {
  const LaunchReport report = run(32, [&] {
    early = __LINE__ + 1;
    cp_async_16(chunk_of(threadIdx.x), source());
    cp_async_commit();
    late = __LINE__ + 1;
    st_shared_4(chunk_of(threadIdx.x), 1);
    cp_async_wait<0>();
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::write_over_copy_in_flight));
  EXPECT_EQ(message(report), "CTA (0, 0, 0), warp 0, lane 0: st_shared_4" + at(late) +
                                 " writes byte 0 of shared memory while cp_async_16" + at(early) +
                                 " (warp 0, lane 0) is still copying to it: wait for it with cp_async_wait<0>() before "
                                 "the write.");
}

TEST_F(WriteTooEarly, ByTwoCopiesInFlightToTheSameBytes) {
  const LaunchReport report = run(32, [&] {
    for (int i = 0; i < 2; i++) {
      cp_async_16(chunk_of(threadIdx.x), source());
      cp_async_commit();
    }
    cp_async_wait<0>();
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::write_over_copy_in_flight));
}

// --- Copies that are left behind -------------------------------------------------------------------------------

using CopyLeftBehind = HazardTest;

TEST_F(CopyLeftBehind, NeverCommitted) {
  const LaunchReport report = run(32, [&] {
    early = __LINE__ + 1;
    cp_async_16(chunk_of(threadIdx.x), source());
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::copy_not_committed));
  EXPECT_EQ(message(report), "CTA (0, 0, 0), warp 0, lane 0: the thread exits with a copy of cp_async_16" + at(early) +
                                 " that is in no group: commit it with cp_async_commit() and wait for it with "
                                 "cp_async_wait<0>().");
}

TEST_F(CopyLeftBehind, NeverWaitedFor) {
  const LaunchReport report = run(32, [&] {
    early = __LINE__ + 1;
    cp_async_16(chunk_of(threadIdx.x), source());
    late = __LINE__ + 1;
    cp_async_commit();
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::copy_not_waited_for));
  EXPECT_EQ(message(report), "CTA (0, 0, 0), warp 0, lane 0: the thread exits with a copy of cp_async_16" + at(early) +
                                 ", committed by cp_async_commit" + at(late) +
                                 ", still under way: wait for it with cp_async_wait<0>().");
}

TEST_F(CopyLeftBehind, NotAnEmptyGroup) {
  EXPECT_THAT(kinds(run(32, [] { cp_async_commit(); })), IsEmpty());
}

// --- Addresses -------------------------------------------------------------------------------------------------

using Address = HazardTest;

TEST_F(Address, BehindTheEndOfSharedMemory) {
  Chunk last{};
  const LaunchReport report = run(32, [&] {
    late = __LINE__ + 1;
    last = ld_shared_16(shared_base() + 4096);
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::shared_out_of_bounds));
  EXPECT_EQ(message(report), "CTA (0, 0, 0), warp 0, lane 0: ld_shared_16" + at(late) +
                                 " accesses byte 4096 of shared memory, of which the CTA has 4096 bytes from "
                                 "shared_base() on: correct the address, or ask for more shared memory at the launch.");
  EXPECT_EQ(last.words[0], 0u) << "zeros, so that the launch can go on";
}

TEST_F(Address, InSharedMemoryWithoutItsBase) {
  const LaunchReport report = run(32, [] { st_shared_4(threadIdx.x * 4, 0); });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::shared_out_of_bounds));
  EXPECT_EQ(report.hazards[0].byte, -static_cast<int64_t>(shared_base()));
}

TEST_F(Address, MisalignedInSharedMemory) {
  const LaunchReport report = run(32, [] {
    late = __LINE__ + 1;
    st_shared_4(shared_base() + threadIdx.x * 4 + 2, 0);
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::shared_misaligned));
  EXPECT_EQ(message(report), "CTA (0, 0, 0), warp 0, lane 0: st_shared_4" + at(late) +
                                 " accesses byte 2 of shared memory, which is not a multiple of the bytes that a lane "
                                 "moves: align it.");
}

TEST_F(Address, OutsideOfATensor) {
  const LaunchReport report = run(32, [&] {
    late = __LINE__ + 1;
    cp_async_16(chunk_of(threadIdx.x), in_.as<std::byte>() + 8192 - 256 + threadIdx.x * 16);
    cp_async_commit();
    cp_async_wait<0>();
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::global_out_of_bounds));
  EXPECT_EQ(message(report), "CTA (0, 0, 0), warp 0, lane 16: cp_async_16" + at(late) +
                                 " accesses byte 8192 of k, which has 8192 bytes: correct the address, or check the "
                                 "row against the shape.");
}

TEST_F(Address, InFrontOfATensor) {
  const LaunchReport report = run(32, [&] { ld_global_16(out_.as<std::byte>() - 16); });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::global_out_of_bounds));
  EXPECT_EQ(report.hazards[0].tensor, "o");
  EXPECT_EQ(report.hazards[0].byte, -16);
}

TEST_F(Address, MisalignedInATensor) {
  const LaunchReport report = run(32, [&] {
    late = __LINE__ + 1;
    ld_global_16(in_.as<std::byte>() + 8);
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::global_misaligned));
  EXPECT_EQ(message(report), "CTA (0, 0, 0), warp 0, lane 0: ld_global_16" + at(late) +
                                 " accesses byte 8 of k, which is not a multiple of the bytes that a lane moves: align "
                                 "it.");
}

TEST_F(Address, OfATensorThatIsAnInput) {
  in_.as<uint32_t>()[0] = 5;
  const LaunchReport report = run(32, [&] {
    late = __LINE__ + 1;
    st_global_16(in_.as<Chunk>() + threadIdx.x, {});
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::global_read_only));
  EXPECT_EQ(message(report), "CTA (0, 0, 0), warp 0, lane 0: st_global_16" + at(late) +
                                 " writes byte 0 of k, which is an input: store to an output.");
  EXPECT_EQ(in_.as<uint32_t>()[0], 5u) << "the input stays as it was";
}

TEST_F(Address, ThatTwoCtasBothWrite) {
  const LaunchReport report = launch({.grid_x = 3, .buffers = {out_.view()}, .host_threads = 3}, [&] {
    early = late = __LINE__ + 1;
    st_global_16(out_.as<Chunk>() + threadIdx.x + blockIdx.x * 24, {});
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::global_write_conflict));
  EXPECT_EQ(message(report), "CTA (1, 0, 0), warp 0, lane 0: st_global_16" + at(late) +
                                 " writes byte 384 of o, which st_global_16" + at(early) +
                                 " (warp 0, lane 24) of CTA (0, 0, 0) writes too: give each CTA bytes of its own.");
}

// --- Lanes and warps that do not meet --------------------------------------------------------------------------

using Meeting = HazardTest;

TEST_F(Meeting, LanesAtDifferentLines) {
  const LaunchReport report = run(64, [] {
    if (threadIdx.x >= 32 && threadIdx.x < 40) {
      late = __LINE__ + 1;
      shfl_xor(1, 1);
    } else {
      early = __LINE__ + 1;
      shfl_xor(1, 2);
    }
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::divergence));
  EXPECT_EQ(message(report),
            "CTA (0, 0, 0), warp 1, lane 8: the lanes of the warp do not meet: lanes 0-7 wait at "
            "shfl_xor" +
                at(late) + ", lanes 8-31 wait at shfl_xor" + at(early) +
                ": all lanes must come to the same word on the same line.");
}

TEST_F(Meeting, LanesAtDifferentWords) {
  const LaunchReport report = run(32, [] { threadIdx.x % 2 == 0 ? barrier() : warp_barrier(); });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::divergence));
  EXPECT_THAT(message(report), testing::HasSubstr("lanes 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30 "
                                                  "wait at barrier"));
}

TEST_F(Meeting, ALaneThatHasExited) {
  const LaunchReport report = run(32, [&] {
    if (threadIdx.x == 31) return;
    early = __LINE__ + 1;
    st_global_16(out_.as<Chunk>() + threadIdx.x, {});
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::divergence));
  EXPECT_EQ(report.hazards[0].earlier.line.line, early);
  EXPECT_THAT(message(report),
              testing::HasSubstr("lanes 0-30 wait at st_global_16" + at(early) + ", lane 31 has exited:"));
}

TEST_F(Meeting, ABarrierThatAWarpNeverReaches) {
  const LaunchReport report = run(96, [] {
    if (threadIdx.x >= 64) return;
    early = __LINE__ + 1;
    barrier();
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::barrier_not_reached));
  EXPECT_EQ(message(report),
            "CTA (0, 0, 0), warp 2, lane 0: deadlock at a barrier that not all threads reach: "
            "warps 0-1 wait at barrier" +
                at(early) + ", warp 2 has exited: let every thread of the CTA come to it.");
}

TEST_F(Meeting, OneBarrierMoreInOneWarpThanInTheOthers) {
  const LaunchReport report = run(64, [] {
    for (unsigned i = 0; i < 2 + threadIdx.x / 32; i++) barrier();
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::barrier_not_reached));
}

TEST_F(Meeting, WarpsAtDifferentBarriers) {
  bool finished = false;
  const LaunchReport report = run(64, [&] {
    if (threadIdx.x < 32) {
      early = __LINE__ + 1;
      barrier();
    } else {
      late = __LINE__ + 1;
      barrier();
    }
    finished = true;
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::barrier_mismatch));
  EXPECT_EQ(message(report),
            "CTA (0, 0, 0), warp 1, lane 0: the warps meet at different barriers: warp 0 waits "
            "at barrier" +
                at(early) + ", warp 1 waits at barrier" + at(late) +
                ": let all threads of the CTA come to the same one.");
  EXPECT_TRUE(finished) << "a GPU goes on, and so does the launch";
}

// --- Reports ---------------------------------------------------------------------------------------------------

using HazardReport = HazardTest;

TEST_F(HazardReport, HasEachPairOfLinesOnceAndOfItTheFirst) {
  const LaunchReport report = launch({.grid_x = 5, .threads = 64, .smem_bytes = 1024}, [] {
    if (blockIdx.x < 2) return;
    for (int i = 0; i < 3; i++) ld_shared_16(chunk_of(threadIdx.x));
    ld_shared_16(chunk_of(threadIdx.x));
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::read_of_unwritten, HazardKind::read_of_unwritten));
  EXPECT_EQ(report.hazards[0].cta, (Dim3{2, 0, 0}));
  EXPECT_EQ(report.hazards[1].later.line.line, report.hazards[0].later.line.line + 1);
}

// --- What is correct -------------------------------------------------------------------------------------------

using CorrectKernel = HazardTest;

TEST_F(CorrectKernel, ReadsItsOwnCopyAfterTheWaitAlone) {
  const LaunchReport report = run(64, [&] {
    cp_async_16(chunk_of(threadIdx.x), source());
    cp_async_commit();
    cp_async_wait<0>();
    ld_shared_16(chunk_of(threadIdx.x));
    store_chunk(chunk_of(threadIdx.x));
    ld_shared_16(chunk_of(threadIdx.x));
  });
  EXPECT_THAT(kinds(report), IsEmpty());
}

TEST_F(CorrectKernel, ReadsWhatOtherLanesWroteAfterAWarpBarrier) {
  const LaunchReport report = run(64, [&] {
    store_chunk(chunk_of(threadIdx.x));
    warp_barrier();
    ld_shared_16(chunk_of(threadIdx.x ^ 31));
    warp_barrier();
    cp_async_16(chunk_of(threadIdx.x), source());
    cp_async_commit();
    cp_async_wait<0>();
    warp_barrier();
    ld_shared_16(chunk_of(threadIdx.x ^ 1));
  });
  EXPECT_THAT(kinds(report), IsEmpty());
}

TEST_F(CorrectKernel, StreamsThroughTwoStagesWithOneGroupInFlight) {
  const LaunchReport report =
      launch({.threads = 128, .smem_bytes = 4096, .buffers = {in_.view()}, .lane_order_seed = 5}, [&] {
        uint32_t regs[4];
        constexpr unsigned tiles = 4;
        cp_async_16(chunk_of(threadIdx.x), source());
        cp_async_commit();
        for (unsigned tile = 0; tile < tiles; tile++) {
          const unsigned next = tile + 1;
          if (next < tiles) cp_async_16(chunk_of(threadIdx.x + next % 2 * 128), source() + next * 128);
          cp_async_commit();
          cp_async_wait<1>();
          barrier();  // the tile is here for all warps
          ldmatrix_x4(regs, chunk_of((threadIdx.x + 64) % 128 + tile % 2 * 128));
          barrier();  // all warps are done with the tile
        }
        cp_async_wait<0>();
      });
  EXPECT_THAT(kinds(report), IsEmpty());
}

TEST_F(CorrectKernel, DoesDifferentThingsInDifferentWarpsBetweenBarriers) {
  const LaunchReport report = run(64, [&] {
    if (threadIdx.x < 32) {
      store_chunk(chunk_of(threadIdx.x));
    } else {
      shfl_xor(1, 1);
    }
    barrier();
    if (threadIdx.x >= 32) st_global_16(out_.as<Chunk>() + threadIdx.x, ld_shared_16(chunk_of(threadIdx.x - 32)));
  });
  EXPECT_THAT(kinds(report), IsEmpty());
}

}  // namespace
}  // namespace flash_steps::emulator
