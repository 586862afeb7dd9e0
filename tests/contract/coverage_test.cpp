// Which problems a variant computes, and what is advised instead of the others.
#include "harness/contract/coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flash_steps {
namespace {

using testing::HasSubstr;

Variant variant_of(int tile_rows, int tile_cols, int heads = 0) {
  Variant variant{};
  variant.tile.config = "tile";
  variant.tile.tile_rows = tile_rows;
  variant.tile.tile_cols = tile_cols;
  variant.tile.heads = heads;
  return variant;
}

Problem with_seqlen(int seqlen) {
  Problem problem;
  problem.seqlen = seqlen;
  return problem;
}

TEST(Coverage, SeqlenMustBeAMultipleOfBothTileSides) {
  EXPECT_EQ(refusal(variant_of(64, 64), with_seqlen(192)), std::nullopt);
  EXPECT_EQ(refusal(variant_of(128, 32), with_seqlen(256)), std::nullopt);
  EXPECT_NE(refusal(variant_of(128, 32), with_seqlen(192)), std::nullopt);
  EXPECT_NE(refusal(variant_of(32, 128), with_seqlen(192)), std::nullopt);
}

TEST(Coverage, NamesTheNearestShapesThatWork) {
  EXPECT_THAT(*refusal(variant_of(64, 64), with_seqlen(100)), HasSubstr("64 and 128 would work"));
  EXPECT_THAT(*refusal(variant_of(64, 64), with_seqlen(10)), HasSubstr("; 64 would work"));
  EXPECT_THAT(*refusal(variant_of(64, 64), with_seqlen(0)), HasSubstr("; 64 would work"));
  EXPECT_THAT(*refusal(variant_of(64, 64), with_seqlen(2147483647)), HasSubstr("; 2147483584 would work"));
}

TEST(Coverage, RefusesOtherHeadDims) {
  Problem problem = with_seqlen(64);
  problem.head_dim = 64;
  EXPECT_THAT(*refusal(variant_of(64, 64), problem), HasSubstr("head_dim 64 is not covered; 128 would work"));
}

TEST(Coverage, NamesAKernelThatTakesAnyLengthOrAnotherHeadDim) {
  Variant any = variant_of(64, 64);
  any.coverage.any_length = true;
  any.coverage.head_dims = {64, 128};
  const std::vector<Kernel> there_are = {Kernel("02_swizzling", "", {variant_of(32, 32)}),
                                         Kernel("v01_any_length", "", {any})};
  EXPECT_THAT(*refusal(variant_of(64, 64), with_seqlen(100), there_are),
              HasSubstr("; 64 and 128 would work, and so would v01_any_length"));
  // That the tiles of 02 happen to fit is no advice.
  EXPECT_THAT(*refusal(variant_of(64, 64), with_seqlen(96), there_are), HasSubstr("and so would v01_any_length"));
  Problem problem = with_seqlen(64);
  problem.head_dim = 64;
  EXPECT_EQ(refusal(variant_of(64, 64), problem, there_are),
            "head_dim 64 is not covered; 128 would work, and so would v01_any_length");
  problem.head_dim = 80;
  EXPECT_EQ(refusal(any, problem, there_are), "head_dim 80 is not covered; 64 or 128 would work");
}

TEST(Coverage, RefusesOtherHeadsThanAVariantIsFixedTo) {
  Problem problem = with_seqlen(64);
  problem.heads = 3;
  EXPECT_THAT(*refusal(variant_of(64, 64, 16), problem), HasSubstr("16 would work"));
  problem.heads = 16;
  EXPECT_EQ(refusal(variant_of(64, 64, 16), problem), std::nullopt);
}

}  // namespace
}  // namespace flash_steps
