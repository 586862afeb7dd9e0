// The words that move 4, 8 and 16 bytes a lane: what they carry, and what is counted of them.
#include <gtest/gtest.h>

#include "harness/truth/numbers.h"
#include "tests/support/emulator_fixture.h"

namespace flash_steps::emulator {
namespace {

TEST(NarrowWords, CarryBytesFromGlobalThroughSharedMemoryAndBack) {
  const TestBuffer in("in", 1024, false);
  const TestBuffer out("out", 1024, true);
  for (int i = 0; i < 256; i++) in.as<uint32_t>()[i] = 0x01010101u * i;
  const LaunchReport report = run_cta(32, 1024, {in.view(), out.view()}, [&] {
    // Two halves of a lane's chunk by 8 bytes, and 16 at once.
    const uint32_t* const words = in.as<uint32_t>() + threadIdx.x * 4;
    st_shared_8(chunk_of(threadIdx.x), {float_of(ld_global_4(words)), float_of(ld_global_4(words + 1))});
    st_shared_8(chunk_of(threadIdx.x) + 8, {float_of(ld_global_4(words + 2)), float_of(ld_global_4(words + 3))});
    st_shared_16(chunk_of(32 + threadIdx.x), ld_global_16(in.as<Chunk>() + 32 + threadIdx.x));
    for (uint32_t i = 0; i < 4; i++) {
      st_global_4(out.as<uint32_t>() + threadIdx.x * 4 + i, ld_shared_4(chunk_of(threadIdx.x) + i * 4));
    }
    for (uint32_t i = 0; i < 2; i++) {
      const Pair pair = ld_shared_8(chunk_of(32 + threadIdx.x) + i * 8);
      st_global_4(out.as<uint32_t>() + 128 + threadIdx.x * 4 + i * 2, bits_of(pair.low));
      st_global_4(out.as<uint32_t>() + 128 + threadIdx.x * 4 + i * 2 + 1, bits_of(pair.high));
    }
  });
  EXPECT_TRUE(report.hazards.empty());
  EXPECT_EQ(std::memcmp(in.as<char>(), out.as<char>(), 1024), 0);
}

template <typename T>
void expect_unpacked(Dtype dtype) {
  for (uint32_t bits = 0; bits < 0x10000; bits += 7) {
    const double expected = to_double(static_cast<uint16_t>(bits), dtype);
    if (expected != expected) continue;  // NaN
    const Pair pair = unpack2<T>(bits | 0x3c00u << 16);
    EXPECT_EQ(pair.low, expected) << bits;
    EXPECT_EQ(pair.high, to_double(0x3c00, dtype));
    EXPECT_EQ(pack2<T>(pair.high, pair.low), 0x3c00u | bits << 16) << bits;
  }
}

TEST(NarrowWords, UnpackWhatPackPacked) {
  expect_unpacked<fp16_t>(Dtype::fp16);
  expect_unpacked<bf16_t>(Dtype::bf16);
}

TEST(NarrowWords, TakeAWavefrontA128BytesWithoutConflicts) {
  const LaunchReport report = run_cta(32, 32 * 16, {}, [] {
    st_shared_4(shared_base() + threadIdx.x * 4, 0);
    st_shared_8(shared_base() + threadIdx.x * 8, {0, 0});
    st_shared_16(chunk_of(threadIdx.x), {});
    ld_shared_4(shared_base() + threadIdx.x * 16);
    ld_shared_8(shared_base() + threadIdx.x * 16);
  });
  EXPECT_EQ(report.counters.shared_store, (AccessCounters{3, 1 + 2 + 4, 1 + 2 + 4, 0}));
  // Every fourth bank, four times: of 4 bytes; of 8, twice in each of two phases.
  EXPECT_EQ(report.counters.shared_load, (AccessCounters{2, 4 + 2 * 2, 1 + 2, 0}));
}

TEST(NarrowWords, ReadARowOfWordsThatAllLanesShareInOneWavefront) {
  const LaunchReport report = run_cta(32, 256, {}, [] {
    st_shared_4(shared_base() + threadIdx.x * 4, 0);
    warp_barrier();
    ld_shared_4(shared_base() + 64);
    ld_shared_8(shared_base() + 64);
  });
  EXPECT_EQ(report.counters.shared_load, (AccessCounters{2, 1 + 1, 1 + 1, 0}));
}

// A lane its own row of 256 bytes, as p04 copies, or its own word of a row, as p05 does.
TEST(NarrowWords, OfGlobalMemoryTouchASectorALaneOrOneForEight) {
  const TestBuffer in("in", 32 * 256, false);
  const TestBuffer out("out", 32 * 256, true);
  const auto counters = [&](int stride) {
    const LaunchReport report = run_cta(32, 0, {in.view(), out.view()}, [&] {
      st_global_4(out.as<std::byte>() + threadIdx.x * stride, ld_global_4(in.as<std::byte>() + threadIdx.x * stride));
    });
    EXPECT_TRUE(report.hazards.empty());
    return report.counters;
  };
  // Sectors of 32 bytes, and lines of 128 of which L1 looks up a tag each.
  EXPECT_EQ(counters(256).global_load, (AccessCounters{1, 0, 0, 32, 32}));
  EXPECT_EQ(counters(256).global_store, (AccessCounters{1, 0, 0, 32}));
  EXPECT_EQ(counters(4).global_load, (AccessCounters{1, 0, 0, 4, 1}));
  EXPECT_EQ(counters(4).global_store, (AccessCounters{1, 0, 0, 4}));
}

}  // namespace
}  // namespace flash_steps::emulator
