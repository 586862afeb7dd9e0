// Addresses that do not fit and lanes that do not meet, planted in tiny kernels, are caught with their lines; and what
// is correct is let pass.
//
// A kernel notes the lines of the two accesses that collide: `early = __LINE__` stands on the line of the word.

#include <algorithm>
#include <string>

#include "tests/support/hazard_fixture.h"

namespace flash_steps::emulator {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;
using testing::Not;

TEST(Hazards, OfEachKindHaveASentence) {
  for (int kind = 0; kind <= static_cast<int>(HazardKind::deadlock); kind++) {
    Hazard hazard;
    hazard.kind = static_cast<HazardKind>(kind);
    hazard.waiting = "nobody comes";
    EXPECT_THAT(to_string(hazard), Not(EndsWith(": "))) << "kind " << kind;
  }
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
