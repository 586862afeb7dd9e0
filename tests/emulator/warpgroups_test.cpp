// The products of warpgroups, the named barriers and the pool of registers on the emulator: what they do, and each
// mistake, planted in a tiny kernel, with its sentence.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "harness/truth/numbers.h"
#include "kernels/isa_sm90.cuh"
#include "tests/support/emulator_fixture.h"
#include "tests/support/tensor_map.h"

namespace flash_steps::emulator {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr int a_rows = 64, columns = 128;
constexpr int a_bytes = a_rows * 128, b_bytes = columns * 128;
constexpr int operand_bytes = a_bytes + b_bytes + 1024;

// The mistakes of one product of 64×16 by 16×128.
struct Mistakes {
  bool no_proxy_fence = false, no_fence = false, no_commit = false, no_wait = false;
  bool reads_early = false, writes_early = false, changes_operand = false, overwrites = false;
  bool transposed = false, other_descriptor = false, no_swizzle = false, warp_missing = false;
};

float a_of(int row, int k) { return static_cast<float>((row * 3 + k) % 7 - 3); }
float b_of(int k, int column) { return static_cast<float>((column * 5 + k * 2) % 5 - 2); }

class WarpgroupTest : public testing::Test {
 protected:
  LaunchReport run(int threads, const std::function<void()>& body) {
    report_ = run_cta(threads, operand_bytes, {}, body);
    return report_;
  }

  std::string reported() const {
    std::string text;
    for (const Hazard& hazard : report_.hazards) text += to_string(hazard) + "\n";
    return text;
  }

  // Whether the result was right.
  bool multiply(const Mistakes& mistakes) {
    bool right = true;
    run(128, [&] { right &= multiply_here(mistakes); });
    return right;
  }

  static uint16_t bits(float value) { return from_double(value, Dtype::fp16); }
  static uint32_t place(uint32_t base, int row, int byte) { return base + row * 128 + (byte ^ (row % 8) * 16); }

  static void fill(bool transposed) {
    const uint32_t a = shared_base(), b = a + a_bytes;
    const int thread = static_cast<int>(threadIdx.x);
    for (int i = 0; i < 4; i++) {  // 64 rows of 8 pairs
      const int row = thread / 2, k = thread % 2 * 8 + i * 2;
      st_shared_4(place(a, row, k * 2), bits(a_of(row, k)) | uint32_t{bits(a_of(row, k + 1))} << 16);
    }
    for (int i = 0; i < 8; i++) {
      if (transposed) {  // 16 rows of 128 columns, in two halves of 64
        const int k = thread / 8, column = thread % 8 * 16 + i * 2;
        st_shared_4(place(b + column / 64 * 2048, k, column % 64 * 2),
                    bits(b_of(k, column)) | uint32_t{bits(b_of(k, column + 1))} << 16);
      } else {  // 128 rows of 16
        st_shared_4(place(b, thread, i * 4), bits(b_of(i * 2, thread)) | uint32_t{bits(b_of(i * 2 + 1, thread))} << 16);
      }
    }
  }

  static bool multiply_here(const Mistakes& mistakes) {
    const uint32_t a = shared_base(), b = a + a_bytes;
    fill(mistakes.transposed);
    if (!mistakes.no_proxy_fence) proxy_fence();
    barrier();
    const int warp = static_cast<int>(threadIdx.x) / 32, lane = lane_number();
    if (mistakes.warp_missing && warp == 3) return true;
    float d[16][4] = {};
    uint32_t a_regs[4];
    for (int i = 0; i < 4; i++) {
      const int row = warp * 16 + lane / 4 + i % 2 * 8, k = lane % 4 * 2 + i / 2 * 8;
      a_regs[i] = bits(a_of(row, k)) | uint32_t{bits(a_of(row, k + 1))} << 16;
    }
    if (!mistakes.no_fence) wgmma_fence();
    if (mistakes.transposed) {
      wgmma_m64n128k16_trans<fp16_t>(d, a_regs, descriptor(b, 2048, 1024));
    } else {
      const uint64_t a_descriptor = descriptor(a, 0, 1024) + (mistakes.other_descriptor && warp == 1 ? 2 : 0);
      wgmma_m64n128k16<fp16_t>(d, a_descriptor, descriptor(b, 0, 1024) & (mistakes.no_swizzle ? ~(3ull << 62) : ~0ull),
                               false);
    }
    if (!mistakes.no_commit) wgmma_commit();
    bool right = true;
    if (mistakes.reads_early) right &= !std::isnan(d[3][1]);
    if (mistakes.writes_early) d[3][1] = 1;
    if (mistakes.changes_operand) a_regs[2]++;
    if (mistakes.overwrites) st_shared_4(a + threadIdx.x * 4, 0);
    if (!mistakes.no_wait) wgmma_wait<0>(d);
    for (int n = 0; n < 16; n++) {
      for (int e = 0; e < 4; e++) {
        float expected = 0;
        for (int k = 0; k < 16; k++) {
          expected += a_of(warp * 16 + lane / 4 + e / 2 * 8, k) * b_of(k, n * 8 + lane % 4 * 2 + e % 2);
        }
        right &= d[n][e] == expected;
      }
    }
    return right;
  }

  LaunchReport report_;
};

TEST_F(WarpgroupTest, AProductOfSharedMemoryIsRight) {
  EXPECT_TRUE(multiply({}));
  EXPECT_EQ(reported(), "");
  EXPECT_EQ(report_.counters.wgmma_instructions, 4u);
}

TEST_F(WarpgroupTest, AProductOfRegistersAndATransposedTileIsRight) {
  EXPECT_TRUE(multiply({.transposed = true}));
  EXPECT_EQ(reported(), "");
}

TEST_F(WarpgroupTest, WhatThreadsWroteNeedsAProxyFence) {
  EXPECT_TRUE(multiply({.no_proxy_fence = true}));
  EXPECT_THAT(reported(), AllOf(HasSubstr("wgmma_m64n128k16 at warpgroups_test.cpp:"),
                                HasSubstr("by another path than st_shared_4"), HasSubstr("put proxy_fence() behind")));
}

TEST_F(WarpgroupTest, TheFirstProductNeedsAFence) {
  EXPECT_TRUE(multiply({.no_fence = true}));
  EXPECT_THAT(reported(), HasSubstr("put wgmma_fence() before it, behind the last wgmma_wait()"));
}

TEST_F(WarpgroupTest, AProductThatIsNotWaitedForIsReported) {
  EXPECT_FALSE(multiply({.no_wait = true}));
  EXPECT_THAT(reported(), HasSubstr("is still under way when its warpgroup exits"));
  EXPECT_FALSE(multiply({.no_commit = true}));
  EXPECT_THAT(reported(), HasSubstr("commit it with wgmma_commit() and wait for it with wgmma_wait<0>()"));
}

TEST_F(WarpgroupTest, AnAccumulatorIsNoNumberBeforeTheWait) { EXPECT_FALSE(multiply({.reads_early = true})); }

TEST_F(WarpgroupTest, RegistersThatAreTouchedBeforeTheWaitAreReported) {
  multiply({.writes_early = true});
  EXPECT_THAT(reported(), HasSubstr("has an accumulator that is written to before wgmma_wait at warpgroups_test.cpp:"));
  multiply({.changes_operand = true, .transposed = true});
  EXPECT_THAT(reported(), HasSubstr("has an operand in registers that change before wgmma_wait"));
}

TEST_F(WarpgroupTest, AWriteOverAnOperandBeforeTheWaitIsReported) {
  multiply({.overwrites = true});
  EXPECT_THAT(reported(),
              AllOf(HasSubstr("st_shared_4 at warpgroups_test.cpp:"),
                    HasSubstr("which wgmma_m64n128k16 at warpgroups_test.cpp:"), HasSubstr("may still be reading")));
}

TEST_F(WarpgroupTest, AllLanesOfTheWarpgroupCallAlike) {
  multiply({.other_descriptor = true});
  EXPECT_THAT(reported(), HasSubstr("all 128 have to call it alike"));
  multiply({.no_swizzle = true});
  EXPECT_THAT(reported(), HasSubstr("has a descriptor without the 128-byte swizzle"));
  multiply({.warp_missing = true});
  EXPECT_THAT(reported(), HasSubstr("deadlock: warp 0 waits at wgmma_m64n128k16 at warpgroups_test.cpp:"));
}

// --- Named barriers ------------------------------------------------------------------------------------------------

TEST_F(WarpgroupTest, ANamedBarrierOrdersWhoArrivesAndWhoSyncs) {
  const auto kernel = [](bool arrives) {
    return [arrives] {
      if (threadIdx.x < 32) {
        st_shared_4(shared_base() + threadIdx.x * 4, threadIdx.x);
        if (arrives) named_barrier_arrive<3>(64);
      } else {
        if (arrives) named_barrier_sync<3>(64);
        ld_shared_16(shared_base());
      }
    };
  };
  run(64, kernel(true));
  EXPECT_EQ(reported(), "");
  run(64, kernel(false));
  EXPECT_THAT(reported(), HasSubstr("wrote, with no barrier since"));
}

TEST_F(WarpgroupTest, MisusedNamedBarriersAreReported) {
  run(64, [] { named_barrier_sync<1>(threadIdx.x < 32 ? 64 : 96); });
  EXPECT_THAT(reported(), HasSubstr("is for 96 threads, and others came to barrier 1 for 64"));
  run(32, [] { named_barrier_arrive<1>(40); });
  EXPECT_THAT(reported(), HasSubstr("is for 40 threads: a multiple of 32 works"));
  run(64, [] {
    if (threadIdx.x >= 32) return;
    named_barrier_arrive<2>(64);
    named_barrier_arrive<2>(64);
  });
  EXPECT_THAT(reported(), AllOf(HasSubstr("a second time before the others"), HasSubstr("let the others come too")));
  run(64, [] {
    if (threadIdx.x < 32) named_barrier_sync<2>(64);
  });
  EXPECT_THAT(reported(), HasSubstr("for barrier 2, at which 32 of 64 threads are"));
}

// --- Registers -----------------------------------------------------------------------------------------------------

TEST_F(WarpgroupTest, RegistersGoFromOneWarpgroupToAnother) {
  run(384, [] {
    if (threadIdx.x < 128) {
      setmaxnreg_dec<24>();
    } else {
      setmaxnreg_inc<240>();
    }
  });
  EXPECT_EQ(reported(), "");
}

TEST_F(WarpgroupTest, MisusedRegistersAreReported) {
  run(384, [] {
    if (threadIdx.x >= 128) setmaxnreg_inc<240>();
  });
  EXPECT_THAT(reported(), HasSubstr("for 240 registers a thread, with 0 registers that nobody has"));
  run(384, [] { setmaxnreg_dec<100>(); });
  EXPECT_THAT(reported(), HasSubstr("asks for 100 registers: a multiple of 8 from 24 to 256 works"));
  run(384, [] { setmaxnreg_dec<240>(); });
  EXPECT_THAT(reported(), HasSubstr("asks for 240 registers where the thread has 168: setmaxnreg_inc is the word"));
  run(384, [] {
    if (threadIdx.x < 32) setmaxnreg_dec<24>();
  });
  EXPECT_THAT(reported(), HasSubstr("gives some warps of a warpgroup another number of registers"));
}

}  // namespace
}  // namespace flash_steps::emulator
