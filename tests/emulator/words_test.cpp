// Each word does what PTX says of its instruction.

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

#include "harness/contract/kernel.h"
#include "harness/truth/numbers.h"
#include "harness/truth/reference.h"
#include "tests/support/emulator_fixture.h"

namespace flash_steps::emulator {
namespace {

// Fills 512 bytes of shared memory with the elements 0, 1, 2, …, 255: matrix m holds 64·m to 64·m + 63.
void store_counting_elements() {
  for (uint32_t i = 0; i < 4; i++) {
    const uint32_t word = i * 32 + threadIdx.x;
    st_shared_4(shared_base() + word * 4, (word * 2) | (word * 2 + 1) << 16);
  }
  warp_barrier();
}

TEST(LdmatrixWord, GivesEachLaneTwoNeighboursOfARow) {
  uint32_t regs[32][4];
  const LaunchReport report = run_cta(32, 512, {}, [&] {
    store_counting_elements();
    ldmatrix_x4(regs[threadIdx.x], chunk_of(threadIdx.x));
  });
  EXPECT_TRUE(report.hazards.empty());
  for (int lane = 0; lane < 32; lane++) {
    for (int i = 0; i < 4; i++) {
      const uint32_t first = i * 64 + lane / 4 * 8 + lane % 4 * 2;
      EXPECT_EQ(regs[lane][i], first | (first + 1) << 16) << "lane " << lane << ", matrix " << i;
    }
  }
}

TEST(LdmatrixWord, TransposedGivesEachLaneTwoNeighboursOfAColumn) {
  uint32_t regs[32][4];
  run_cta(32, 512, {}, [&] {
    store_counting_elements();
    ldmatrix_x4_trans(regs[threadIdx.x], chunk_of(threadIdx.x));
  });
  for (int lane = 0; lane < 32; lane++) {
    for (int i = 0; i < 4; i++) {
      const uint32_t first = i * 64 + lane % 4 * 2 * 8 + lane / 4;
      EXPECT_EQ(regs[lane][i], first | (first + 8) << 16) << "lane " << lane << ", matrix " << i;
    }
  }
}

TEST(LdmatrixWord, TakesEachRowFromTheAddressOfItsLane) {
  uint32_t regs[32][4];
  run_cta(32, 512, {}, [&] {
    store_counting_elements();
    ldmatrix_x4(regs[threadIdx.x], chunk_of(31 - threadIdx.x));
  });
  // Row r of matrix i now is row 7 − r of matrix 3 − i.
  EXPECT_EQ(regs[0][0], (3u * 64 + 7 * 8) | (3u * 64 + 7 * 8 + 1) << 16);
  EXPECT_EQ(regs[31][3], 6u | 7u << 16);
}

TEST(ShuffleWord, ExchangesBetweenLanesThatDifferInTheMask) {
  for (const int mask : {1, 2, 16, 31}) {
    float received[32];
    run_cta(32, 0, {}, [&] { received[threadIdx.x] = shfl_xor(static_cast<float>(threadIdx.x), mask); });
    for (int lane = 0; lane < 32; lane++) EXPECT_EQ(received[lane], static_cast<float>(lane ^ mask));
  }
}

TEST(MemoryWords, CarryBytesFromGlobalThroughSharedMemoryAndBack) {
  const TestBuffer in("in", 1024, false);
  const TestBuffer out("out", 1024, true);
  for (int i = 0; i < 256; i++) in.as<uint32_t>()[i] = 0x01010101u * i;
  const LaunchReport report = run_cta(32, 512, {in.view(), out.view()}, [&] {
    cp_async_16(chunk_of(threadIdx.x), in.as<Chunk>() + threadIdx.x);
    cp_async_commit();
    cp_async_wait<0>();
    st_global_16(out.as<Chunk>() + threadIdx.x, ld_shared_16(chunk_of(threadIdx.x)));
    st_global_16(out.as<Chunk>() + 32 + threadIdx.x, ld_global_16(in.as<Chunk>() + 32 + threadIdx.x));
  });
  EXPECT_TRUE(report.hazards.empty());
  EXPECT_EQ(std::memcmp(in.as<char>(), out.as<char>(), 1024), 0);
}

TEST(MemoryWords, DeliverNanForSharedMemoryThatNobodyWrote) {
  Chunk chunk{};
  run_cta(32, 512, {}, [&] { chunk = ld_shared_16(chunk_of(threadIdx.x)); });
  EXPECT_TRUE(std::isnan(std::bit_cast<float>(chunk.words[0])));
}

struct Matrices {
  double a[16][16];
  double b[16][8];
  float c[16][8];
};

// Elements that T can hold, from subnormal to large.
template <typename T>
Matrices random_matrices(uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::uniform_int_distribution<int> exponent(-26, 8);
  const auto element = [&] {
    const double value = std::ldexp(normal(random), exponent(random));
    return to_double(from_double(value, dtype_of<T>()), dtype_of<T>());
  };
  Matrices m;
  for (auto& row : m.a) {
    for (double& value : row) value = element();
  }
  for (auto& row : m.b) {
    for (double& value : row) value = element();
  }
  for (auto& row : m.c) {
    for (float& value : row) value = static_cast<float>(normal(random));
  }
  return m;
}

template <typename T>
uint32_t pair(double low, double high) {
  return from_double(low, dtype_of<T>()) | uint32_t{from_double(high, dtype_of<T>())} << 16;
}

// D as the tensor core puts it together from fragments that follow the comment in isa.cuh.
template <typename T>
void multiply(const Matrices& m, float (&d)[16][8], LaunchReport& report) {
  report = run_cta(32, 0, {}, [&] {
    const int g = lane_number() / 4;
    const int t = lane_number() % 4;
    const uint32_t a[4] = {pair<T>(m.a[g][2 * t], m.a[g][2 * t + 1]), pair<T>(m.a[g + 8][2 * t], m.a[g + 8][2 * t + 1]),
                           pair<T>(m.a[g][2 * t + 8], m.a[g][2 * t + 9]),
                           pair<T>(m.a[g + 8][2 * t + 8], m.a[g + 8][2 * t + 9])};
    const uint32_t b0 = pair<T>(m.b[2 * t][g], m.b[2 * t + 1][g]);
    const uint32_t b1 = pair<T>(m.b[2 * t + 8][g], m.b[2 * t + 9][g]);
    float acc[4] = {m.c[g][2 * t], m.c[g][2 * t + 1], m.c[g + 8][2 * t], m.c[g + 8][2 * t + 1]};
    mma_m16n8k16<T>(acc, a, b0, b1, acc);
    d[g][2 * t] = acc[0];
    d[g][2 * t + 1] = acc[1];
    d[g + 8][2 * t] = acc[2];
    d[g + 8][2 * t + 1] = acc[3];
  });
}

template <typename T>
class MmaWord : public testing::Test {};
using ElementTypes = testing::Types<fp16_t, bf16_t>;
TYPED_TEST_SUITE(MmaWord, ElementTypes);

TYPED_TEST(MmaWord, EqualsFp64UpToOneRoundingForRandomFragments) {
  for (uint64_t seed = 1; seed <= 50; seed++) {
    const Matrices m = random_matrices<TypeParam>(seed);
    float d[16][8];
    LaunchReport report;
    multiply<TypeParam>(m, d, report);
    EXPECT_EQ(report.counters.mma_instructions, 1u);
    for (int i = 0; i < 16; i++) {
      for (int n = 0; n < 8; n++) {
        double exact = m.c[i][n];
        double magnitude = std::fabs(exact);
        for (int k = 0; k < 16; k++) {
          exact += m.a[i][k] * m.b[k][n];
          magnitude += std::fabs(m.a[i][k] * m.b[k][n]);
        }
        EXPECT_LE(std::fabs(d[i][n] - exact), std::ldexp(std::fabs(exact), -24) + std::ldexp(magnitude, -48));
      }
    }
  }
}

TYPED_TEST(MmaWord, CarriesInfinityAndNan) {
  Matrices m{};
  m.a[0][0] = INFINITY;
  m.b[0][0] = 1;
  m.a[1][0] = NAN;
  float d[16][8];
  LaunchReport report;
  multiply<TypeParam>(m, d, report);
  EXPECT_EQ(d[0][0], INFINITY);
  EXPECT_TRUE(std::isnan(d[0][1]));  // ∞·0
  EXPECT_TRUE(std::isnan(d[1][0]));
  EXPECT_EQ(d[2][0], 0);
}

template <typename T>
class Pack2Word : public testing::Test {};
TYPED_TEST_SUITE(Pack2Word, ElementTypes);

TYPED_TEST(Pack2Word, RoundsAsTheReferenceDoes) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 200000; i++) {
    const auto low = std::bit_cast<float>(static_cast<uint32_t>(random()));
    const auto high = std::bit_cast<float>(static_cast<uint32_t>(random()));
    if (std::isnan(low) || std::isnan(high)) continue;
    ASSERT_EQ(pack2<TypeParam>(low, high), pair<TypeParam>(low, high)) << low << ", " << high;
  }
}

TYPED_TEST(Pack2Word, GivesBackEveryValueOfTheTypeAndRoundsTiesToEven) {
  const Dtype dtype = dtype_of<TypeParam>();
  for (uint32_t bits = 0; bits < 0x7fff; bits++) {
    const auto value = static_cast<float>(to_double(static_cast<uint16_t>(bits), dtype));
    if (!std::isfinite(value)) break;
    ASSERT_EQ(pack2<TypeParam>(value, -value), bits | (bits | 0x8000u) << 16);
    const double next = to_double(static_cast<uint16_t>(bits + 1), dtype);
    if (!std::isfinite(next)) break;
    const auto tie = static_cast<float>((value + next) / 2);
    ASSERT_EQ(pack2<TypeParam>(tie, 0), bits + bits % 2);
  }
}

TYPED_TEST(Pack2Word, KeepsNanAndInfinity) {
  const uint32_t packed = pack2<TypeParam>(NAN, -INFINITY);
  EXPECT_TRUE(std::isnan(to_double(static_cast<uint16_t>(packed), dtype_of<TypeParam>())));
  EXPECT_EQ(to_double(static_cast<uint16_t>(packed >> 16), dtype_of<TypeParam>()), -INFINITY);
}

TEST(PermuteBytesWord, TakesAnyByteOrItsHighestBit) {
  EXPECT_EQ(permute_bytes(0x33221100, 0x77665544, 0x3210), 0x33221100u);
  EXPECT_EQ(permute_bytes(0x33221100, 0x77665544, 0x0167), 0x00116677u);
  EXPECT_EQ(permute_bytes(0x7f80ff00, 0x80000000, 0xba98), 0x00ffff00u);
  EXPECT_EQ(permute_bytes(0x7f80ff00, 0x80000000, 0x7f9e), 0x80ffff00u);
}

TEST(Exp2Word, IsZeroForMinusInfinityAndForResultsThatAreSubnormal) {
  EXPECT_EQ(exp2_approx(-INFINITY), 0.0f);
  EXPECT_EQ(exp2_approx(-127.0f), 0.0f);
  EXPECT_EQ(exp2_approx(-126.0f), 0x1p-126f);
  EXPECT_EQ(exp2_approx(10.0f), 1024.0f);
  EXPECT_TRUE(std::isnan(exp2_approx(NAN)));
}

TEST(Words, CalledOutsideOfAKernelSayWhereTheyRun) { EXPECT_THROW(barrier(), std::logic_error); }

}  // namespace
}  // namespace flash_steps::emulator
