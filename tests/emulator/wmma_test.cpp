// The words of WMMA: a product is the one of the matrices in memory, and they are counted as what they become.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "harness/contract/kernel.h"
#include "harness/truth/numbers.h"
#include "tests/support/hazard_fixture.h"

namespace flash_steps::emulator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int size = 16;  // rows and columns of A, B and D

using Elements = std::array<int, size * size>;

// Small whole numbers, so that every sum is exact in every type, and no two rows or columns alike.
Elements numbers(int seed) {
  Elements elements;
  for (int i = 0; i < size * size; i++) elements[i] = (i * 7 + i / size * seed) % 13 - 6;
  return elements;
}

// Stores a matrix with rows `stride` elements apart, and nothing between them.
template <typename T>
void store(uint32_t to_smem, const Elements& elements, int stride) {
  for (int i = threadIdx.x; i < size * size / 2; i += 32) {
    const int row = i * 2 / size;
    const int column = i * 2 % size;
    st_shared_4(to_smem + (row * stride + column) * 2,
                pack2<T>(static_cast<float>(elements[i * 2]), static_cast<float>(elements[i * 2 + 1])));
  }
}

struct Product {
  LaunchReport report;
  std::array<float, size * size> d;
};

// D = A·B, or with columns A·Bᵀ: the rows in memory are the columns of B. D is added to twice.
template <typename T>
Product multiply(bool in_columns, int stride, int d_stride) {
  const uint32_t b_offset = size * stride * 2;
  const uint32_t d_offset = b_offset * 2;
  const int smem_bytes = static_cast<int>(d_offset) + size * d_stride * 4;
  Product product;
  product.report = run_cta(32, smem_bytes, {}, [&] {
    store<T>(shared_base(), numbers(3), stride);
    store<T>(shared_base() + b_offset, numbers(5), stride);
    warp_barrier();
    FragmentA<T> a;
    FragmentC c{};
    wmma_load_a(a, shared_base(), stride);
    for (int i = 0; i < 2; i++) {
      if (in_columns) {
        FragmentBCol<T> b;
        wmma_load_b_col(b, shared_base() + b_offset, stride);
        wmma_mma(c, a, b);
      } else {
        FragmentBRow<T> b;
        wmma_load_b_row(b, shared_base() + b_offset, stride);
        wmma_mma(c, a, b);
      }
    }
    wmma_store_d(shared_base() + d_offset, c, d_stride);
    warp_barrier();
    for (int i = threadIdx.x; i < size * size; i += 32) {
      product.d[i] = float_of(ld_shared_4(shared_base() + d_offset + (i / size * d_stride + i % size) * 4));
    }
  });
  return product;
}

float expected(bool in_columns, int row, int column) {
  const Elements a = numbers(3);
  const Elements b = numbers(5);
  int sum = 0;
  for (int k = 0; k < size; k++) sum += a[row * size + k] * b[in_columns ? column * size + k : k * size + column];
  return static_cast<float>(2 * sum);
}

template <typename T>
void expect_products() {
  for (const bool in_columns : {false, true}) {
    const Product product = multiply<T>(in_columns, 24, 20);
    EXPECT_THAT(product.report.hazards, IsEmpty());
    for (int i = 0; i < size * size; i++) {
      EXPECT_EQ(product.d[i], expected(in_columns, i / size, i % size)) << (in_columns ? "columns, " : "rows, ") << i;
    }
  }
}

TEST(Wmma, MultipliesWhatLiesInMemoryByRowsAndByColumns) {
  expect_products<fp16_t>();
  expect_products<bf16_t>();
}

TEST(Wmma, ALoadIsOneLdmatrixAProductTwoMmaAndAStoreFourStores) {
  const Counters counters = multiply<fp16_t>(true, 24, 20).report.counters;
  EXPECT_EQ(counters.ldmatrix.instructions, 3u);
  EXPECT_EQ(counters.mma_instructions, 4u);
  EXPECT_EQ(counters.shared_store.instructions, 2u * 4 + 4);
}

// Eight rows a phase: those of 256 bytes begin in the same bank, those of 272 four banks further each.
TEST(Wmma, WavefrontsOfALoadFollowTheStride) {
  const auto wavefronts = [](int stride) {
    return multiply<fp16_t>(false, stride, 16).report.counters.ldmatrix.wavefronts / 3;
  };
  EXPECT_EQ(wavefronts(128), 32u);
  EXPECT_EQ(wavefronts(136), 4u);
  EXPECT_EQ(wavefronts(64), 32u);
  EXPECT_EQ(wavefronts(72), 4u);
}

TEST(Wmma, WavefrontsOfAStoreFollowTheStride) {
  const auto wavefronts = [](int stride) {
    const uint64_t stored = 2 * 4;  // a wavefront each, of A and B
    return (multiply<fp16_t>(false, 16, stride).report.counters.shared_store.wavefronts - stored) / 4;
  };
  EXPECT_EQ(wavefronts(64), 8u);
  EXPECT_EQ(wavefronts(128), 8u);
  EXPECT_EQ(wavefronts(68), 4u);
  EXPECT_EQ(wavefronts(72), 2u);
}

// --- Mistakes ----------------------------------------------------------------------------------------------------

using WmmaHazard = HazardTest;

TEST_F(WmmaHazard, AnAddressThatIsNoMultipleOf32) {
  const LaunchReport report = run(32, [] {
    for (uint32_t i = 0; i < 8; i++) st_shared_16(shared_base() + i * 512 + threadIdx.x * 16, {});
    warp_barrier();
    FragmentA<fp16_t> a;
    wmma_load_a(a, shared_base() + 16, 16);
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::matrix_address));
  EXPECT_THAT(message(report), HasSubstr("takes a matrix at byte 16 of shared memory with rows 32 bytes apart: let all "
                                         "lanes give the same address, a multiple of 32"));
}

TEST_F(WmmaHazard, RowsThatAreNoMultipleOf16BytesApart) {
  const LaunchReport report = run(32, [] {
    FragmentC c{};
    wmma_store_d(shared_base(), c, 18);
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::matrix_address));
}

TEST_F(WmmaHazard, LanesThatNameDifferentMatrices) {
  const LaunchReport report = run(32, [] {
    FragmentC c{};
    wmma_store_d(shared_base() + (threadIdx.x == 9 ? 2048 : 0), c, 16);
  });
  EXPECT_THAT(kinds(report), ElementsAre(HazardKind::matrix_address));
  EXPECT_THAT(message(report), HasSubstr("lane 9"));
}

TEST_F(WmmaHazard, AFragmentThatIsLoadedBeforeOtherLanesStoresAreSeen) {
  const LaunchReport report = run(32, [] {
    for (uint32_t i = 0; i < 2; i++) st_shared_16(shared_base() + i * 512 + threadIdx.x * 16, {});
    FragmentA<fp16_t> a;
    wmma_load_a(a, shared_base(), 16);
  });
  EXPECT_EQ(kinds(report).front(), HazardKind::read_before_barrier);
  EXPECT_THAT(message(report), HasSubstr("wmma_load_a"));
}

}  // namespace
}  // namespace flash_steps::emulator
