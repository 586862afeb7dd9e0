// Shared memory that is read or written too early, and copies that are left behind, planted in tiny kernels, are
// caught with both their lines.
//
// A kernel notes the lines of the two accesses that collide: `early = __LINE__` stands on the line of the word.

#include <algorithm>
#include <string>

#include "tests/support/hazard_fixture.h"

namespace flash_steps::emulator {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

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

TEST_F(WriteTooEarly, OverWhatAnotherLaneOfTheWarpRead) {
  const auto kernel = [](bool meets, unsigned distance) {
    return [meets, distance] {
      store_chunk(chunk_of(threadIdx.x));
      warp_barrier();
      early = __LINE__ + 1;
      ld_shared_16(chunk_of((threadIdx.x + 1) % 32));
      ld_shared_16(chunk_of(threadIdx.x));
      if (meets) warp_barrier();
      late = __LINE__ + 1;
      st_shared_4(chunk_of((threadIdx.x + distance) % 32), 0);
    };
  };
  // The last to read a chunk is its owner; the one before is not.
  const LaunchReport report = run(32, kernel(false, 0));
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::write_after_read));
  EXPECT_THAT(message(report), testing::HasSubstr("read, with no barrier since: put a warp_barrier() or barrier() "
                                                  "between the read and the write."));
  EXPECT_THAT(kinds(run(32, kernel(false, 1))), ElementsAre(HazardKind::write_after_read));
  EXPECT_THAT(kinds(run(32, kernel(true, 0))), IsEmpty());
}

TEST_F(WriteTooEarly, NotOverWhatTheLaneItselfRead) {
  const LaunchReport report = run(32, [] {
    store_chunk(chunk_of(threadIdx.x));
    ld_shared_16(chunk_of(threadIdx.x));
    st_shared_4(chunk_of(threadIdx.x), 0);
  });
  EXPECT_THAT(kinds(report), IsEmpty());
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

}  // namespace
}  // namespace flash_steps::emulator
