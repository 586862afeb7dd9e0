// mbarriers and the TMA unit on the emulator: what they do, and each mistake, planted in a tiny kernel, with its
// sentence.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/isa_sm90.cuh"
#include "tests/support/emulator_fixture.h"
#include "tests/support/tensor_map.h"

namespace flash_steps::emulator {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int rows = 16;
constexpr int box_bytes = rows * 128;
constexpr int smem_bytes = 8192;

class TmaTest : public testing::Test {
 protected:
  TmaTest() {
    for (int i = 0; i < 2 * rows * 64; i++) in_.as<uint16_t>()[i] = static_cast<uint16_t>(i);
  }

  LaunchReport run(int threads, const std::function<void()>& body) {
    report_ = run_cta(threads, smem_bytes, {in_.view(), out_.view()}, body);
    return report_;
  }

  // All that was reported, a sentence a line.
  std::string reported() const {
    std::string text;
    for (const Hazard& hazard : report_.hazards) text += to_string(hazard) + "\n";
    return text;
  }

  TestBuffer in_{"k", 2 * box_bytes, false};
  TestBuffer out_{"o", 2 * box_bytes, true};
  const TensorMap in_map_ = rows_of_64(in_.as<void>(), 2 * rows, rows);
  const TensorMap out_map_ = rows_of_64(out_.as<void>(), 2 * rows, rows);
  LaunchReport report_;
};

uint32_t tile() { return shared_base(); }
uint32_t full() { return shared_base() + 4096; }
uint32_t empty() { return shared_base() + 4104; }

// What most kernels begin with; the second barrier is for `arrivals`.
void make_barriers(int arrivals = 1) {
  if (threadIdx.x == 0) {
    mbarrier_init(full(), 1);
    mbarrier_init(empty(), arrivals);
    mbarrier_init_fence();
  }
  barrier();
}

void copy(const TensorMap& map, int row = 0, int bytes = box_bytes) {
  if (threadIdx.x != 0) return;
  mbarrier_arrive_expect_tx(full(), bytes);
  tma_load(tile(), map, 0, row, 0, 0, 0, full());
}

// Where 16-byte chunk `chunk` of a row lies.
uint32_t chunk_at(int row, int chunk) { return tile() + row * 128 + (chunk ^ row % 8) * 16; }

TEST_F(TmaTest, ABoxArrivesSwizzledAndIsReadAfterTheWait) {
  bool right = true;
  run(32, [&] {
    make_barriers();
    copy(in_map_, rows);
    mbarrier_wait(full(), 0);
    for (int i = 0; i < 4; i++) {
      const int place = static_cast<int>(threadIdx.x) * 4 + i;
      const Chunk chunk = ld_shared_16(chunk_at(place / 8, place % 8));
      right &= chunk.words[0] % 65536 == static_cast<uint32_t>(rows * 64 + place * 8);
    }
  });
  EXPECT_TRUE(right);
  EXPECT_EQ(reported(), "");
  EXPECT_EQ(report_.counters.tma_load_instructions, 1u);
  EXPECT_EQ(report_.counters.tma_load_sectors, box_bytes / 32u);
}

TEST_F(TmaTest, RowsBeyondTheTensorAreZerosAndCountAsBytes) {
  uint32_t word = 1;
  run(32, [&] {
    make_barriers();
    copy(in_map_, rows + rows / 2);
    mbarrier_wait(full(), 0);
    const Chunk chunk = ld_shared_16(chunk_at(rows / 2, 0));
    if (threadIdx.x == 0) word = chunk.words[0];
  });
  EXPECT_EQ(word, 0u);
  EXPECT_EQ(reported(), "");
}

TEST_F(TmaTest, AReadWithoutAWaitIsReported) {
  run(32, [&] {
    make_barriers();
    copy(in_map_);
    ld_shared_16(chunk_at(0, 0));
    mbarrier_wait(full(), 0);
  });
  EXPECT_THAT(reported(), AllOf(HasSubstr("ld_shared_16 at tma_test.cpp:"), HasSubstr("reads byte 0 of shared memory"),
                                HasSubstr("while tma_load at tma_test.cpp:"), HasSubstr("is still copying to it: "),
                                HasSubstr("wait with mbarrier_wait() for the phase that counts its bytes")));
}

TEST_F(TmaTest, AWaitForTheOtherParityIsNone) {
  run(32, [&] {
    make_barriers();
    copy(in_map_);
    mbarrier_wait(full(), 1);
    ld_shared_16(chunk_at(0, 0));
    mbarrier_wait(full(), 0);
  });
  EXPECT_THAT(reported(), HasSubstr("is still copying to it"));
}

TEST_F(TmaTest, AWriteOverACopyIsReported) {
  run(32, [&] {
    make_barriers();
    copy(in_map_);
    st_shared_4(tile() + threadIdx.x * 4, 0);
    mbarrier_wait(full(), 0);
  });
  EXPECT_THAT(reported(), AllOf(HasSubstr("st_shared_4"), HasSubstr("writes byte 0 of shared memory while tma_load")));
}

TEST_F(TmaTest, ACopyOverWhatAWarpHasReadNeedsItsArrival) {
  const auto kernel = [&](bool arrives) {
    return [this, arrives] {
      make_barriers();
      if (threadIdx.x < 32) {
        copy(in_map_);
        if (threadIdx.x == 0 && arrives) mbarrier_wait(empty(), 0);
        copy(in_map_);
      }
      mbarrier_wait(full(), 0);
      if (threadIdx.x < 32) return;
      ld_shared_16(chunk_at(0, 0));
      warp_barrier();
      if (threadIdx.x == 32) mbarrier_arrive(empty());
      mbarrier_wait(full(), 1);
    };
  };
  run(64, kernel(true));
  EXPECT_EQ(reported(), "");
  run(64, kernel(false));
  EXPECT_THAT(reported(), HasSubstr("tma_load at tma_test.cpp:"));
}

TEST_F(TmaTest, AMissingExpectationIsReported) {
  run(32, [&] {
    make_barriers();
    if (threadIdx.x == 0) {
      mbarrier_arrive(full());
      tma_load(tile(), in_map_, 0, 0, 0, 0, 0, full());
    }
    mbarrier_wait(full(), 0);
    ld_shared_16(chunk_at(0, 0));
  });
  EXPECT_THAT(reported(), AllOf(HasSubstr("is still copying to it"), HasSubstr("left in the middle of a phase")));
}

TEST_F(TmaTest, BytesThatNobodyExpectsAreReported) {
  run(32, [&] {
    make_barriers();
    copy(in_map_, 0, box_bytes / 2);
    mbarrier_wait(full(), 0);
  });
  EXPECT_THAT(reported(), HasSubstr("let mbarrier_arrive_expect_tx() expect all the bytes of the copies of a phase"));
}

TEST_F(TmaTest, BytesThatNeverComeAreADeadlock) {
  run(32, [&] {
    make_barriers();
    copy(in_map_, 0, box_bytes + 16);
    mbarrier_wait(full(), 0);
  });
  EXPECT_THAT(reported(),
              HasSubstr("for the end of a phase of parity 0 of the mbarrier at byte 4096, in phase 0 with 0 of 1 "
                        "arrivals and 16 bytes missing"));
}

TEST_F(TmaTest, OneArrivalTooManyIsReported) {
  run(64, [&] {
    make_barriers(2);
    if (threadIdx.x % 32 == 0) mbarrier_arrive_expect_tx(empty(), threadIdx.x == 0 ? 128 : 0);
    barrier();
    if (threadIdx.x == 0) mbarrier_arrive(empty());
  });
  EXPECT_THAT(reported(), HasSubstr("it is one arrival more than it expects"));
}

TEST_F(TmaTest, AnArrivalThatIsMissingIsADeadlock) {
  run(32, [&] {
    make_barriers(2);
    if (threadIdx.x == 0) mbarrier_arrive(empty());
    mbarrier_wait(empty(), 0);
  });
  EXPECT_THAT(reported(), AllOf(HasSubstr("deadlock: warp 0 waits at mbarrier_wait at tma_test.cpp:"),
                                HasSubstr("1 of 2 arrivals and 0 bytes missing")));
}

TEST_F(TmaTest, AWaiterThatTwoPhasesPassIsReported) {
  run(64, [&] {
    make_barriers();
    if (threadIdx.x == 32) {
      mbarrier_wait(empty(), 0);
      return;
    }
    if (threadIdx.x > 0) return;
    for (int i = 0; i < 8; i++) {  // the copies give the other warp a turn
      mbarrier_arrive_expect_tx(full(), box_bytes);
      tma_load(tile(), in_map_, 0, 0, 0, 0, 0, full());
      mbarrier_wait(full(), i % 2);
      if (i == 6) {
        mbarrier_arrive(empty());
        mbarrier_arrive(empty());
      }
    }
  });
  EXPECT_THAT(reported(), HasSubstr("while two phases end, and cannot tell the one from the other"));
}

TEST_F(TmaTest, ABarrierIsMadeOnceFencedAndPublished) {
  run(32, [] {
    if (threadIdx.x != 0) return;
    mbarrier_init(full(), 1);
    mbarrier_init(full(), 1);
  });
  EXPECT_THAT(reported(), HasSubstr("a second time: make each once"));
  run(64, [] {
    if (threadIdx.x == 0) mbarrier_init(full(), 1);
    if (threadIdx.x == 32) mbarrier_arrive(full());
  });
  EXPECT_THAT(reported(), HasSubstr("made, with no barrier since: put a barrier() behind it"));
  run(32, [&] {
    if (threadIdx.x == 0) mbarrier_init(full(), 1);
    barrier();
    copy(in_map_);
    mbarrier_wait(full(), 0);
  });
  EXPECT_THAT(reported(), HasSubstr("put mbarrier_init_fence() behind it, in the same thread"));
  run(32, [] { mbarrier_wait(full(), 1); });
  EXPECT_THAT(reported(), HasSubstr("where no mbarrier is: make it with mbarrier_init()"));
  run(32, [] {
    if (threadIdx.x == 0) mbarrier_init(full(), 0);
  });
  EXPECT_THAT(reported(), HasSubstr("an mbarrier of 0 arrivals: 1 is the least"));
}

TEST_F(TmaTest, ABarrierInTheMiddleOfAPhaseAtTheEndIsReported) {
  run(32, [] {
    make_barriers(2);
    if (threadIdx.x == 0) mbarrier_arrive(empty());
  });
  EXPECT_THAT(reported(), HasSubstr("left in the middle of a phase when all threads have exited: the mbarrier at byte "
                                    "4104, in phase 0 with 1 of 2 arrivals and 0 bytes missing"));
}

TEST_F(TmaTest, ACopyOfSeveralLanesIsReported) {
  run(32, [&] {
    make_barriers();
    if (threadIdx.x == 0) mbarrier_arrive_expect_tx(full(), 2 * box_bytes);
    warp_barrier();
    if (threadIdx.x < 2) tma_load(tile(), in_map_, 0, 0, 0, 0, 0, full());
    mbarrier_wait(full(), 0);
  });
  EXPECT_THAT(reported(), HasSubstr("is called by 2 lanes of a warp, each of which copies the box"));
}

TEST_F(TmaTest, ABoxThatIsNotAlignedIsReported) {
  run(32, [&] {
    make_barriers();
    if (threadIdx.x == 0) tma_load(tile() + 128, in_map_, 0, 0, 0, 0, 0, full());
  });
  EXPECT_THAT(reported(), HasSubstr("has a box at byte 128 of shared memory: a multiple of 1024 works"));
}

TEST_F(TmaTest, ACopyThatNobodyWaitsForIsReported) {
  run(32, [&] {
    make_barriers();
    copy(in_map_);
  });
  EXPECT_THAT(reported(), HasSubstr("is still copying when all threads have exited"));
}

// --- Stores --------------------------------------------------------------------------------------------------------

struct Store {
  bool fenced = true, met = true, committed = true, waited = true, overwrites = false;
};

class TmaStore : public TmaTest {
 protected:
  void run_store(const Store& store) {
    run(32, [&] {
      for (int i = 0; i < box_bytes / 128; i++) st_shared_4(tile() + i * 128 + threadIdx.x * 4, i);
      if (store.fenced) proxy_fence();
      if (store.met) warp_barrier();
      if (elect_one()) {
        tma_store(out_map_, 0, rows, 0, 0, 0, tile());
        if (store.committed) tma_store_commit();
      }
      if (store.overwrites) st_shared_4(tile() + threadIdx.x * 4, 0);
      if (store.waited) tma_store_wait_read<0>();
    });
  }
};

TEST_F(TmaStore, AStoredBoxIsInTheTensor) {
  run_store({});
  EXPECT_EQ(reported(), "");
  EXPECT_EQ(out_.as<uint32_t>()[rows * 32 + 3 * 32], 3u);
  EXPECT_EQ(report_.counters.tma_store_instructions, 1u);
}

TEST_F(TmaStore, NeedsAProxyFenceOfTheThreadsThatWrote) {
  run_store({.fenced = false});
  EXPECT_THAT(reported(), AllOf(HasSubstr("tma_store at tma_test.cpp:"), HasSubstr("by another path than st_shared_4"),
                                HasSubstr("put proxy_fence() behind the write, in the thread that wrote")));
}

TEST_F(TmaStore, NeedsABarrierBehindTheWrites) {
  run_store({.met = false});
  EXPECT_THAT(reported(), HasSubstr("with no barrier since: put a warp_barrier() or barrier()"));
}

TEST_F(TmaStore, NeedsACommitAndAWait) {
  run_store({.committed = false});
  EXPECT_THAT(reported(), HasSubstr("is in no group when its thread exits: commit it with tma_store_commit()"));
  run_store({.waited = false});
  EXPECT_THAT(reported(), HasSubstr("may still read shared memory when its thread exits: wait for it with "
                                    "tma_store_wait_read<0>()"));
}

TEST_F(TmaStore, TheOtherLanesKnowOfTheWaitAfterABarrier) {
  const auto kernel = [&](bool meet) {
    return [this, meet] {
      for (int i = 0; i < box_bytes / 128; i++) st_shared_4(tile() + i * 128 + threadIdx.x * 4, i);
      proxy_fence();
      warp_barrier();
      if (elect_one()) {
        tma_store(out_map_, 0, rows, 0, 0, 0, tile());
        tma_store_commit();
      }
      tma_store_wait_read<0>();
      if (meet) warp_barrier();
      st_shared_4(tile() + threadIdx.x * 4, 0);
    };
  };
  run(32, kernel(true));
  EXPECT_EQ(reported(), "");
  run(32, kernel(false));
  EXPECT_THAT(reported(), HasSubstr("which tma_store at tma_test.cpp:"));
}

TEST_F(TmaStore, AWriteBeforeTheWaitIsReported) {
  run_store({.overwrites = true});
  EXPECT_THAT(reported(), HasSubstr("may still be reading: wait for its group, and let who waited arrive"));
}

}  // namespace
}  // namespace flash_steps::emulator
