// The backward pass with dropout: it draws, and does no more than the one without; and of packed sequences it does what
// there is to do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/contract/registry.h"
#include "harness/machine/machine.h"

namespace flash_steps {
namespace {

Counters counters_of_backward(const std::string& name, Problem problem) {
  problem.head_dim = 64;
  problem.pass = Pass::backward;
  const auto emulator = make_emulator();
  emulator->load(problem, false);
  emulator->launch(find_kernel(name)->emulator().front());
  EXPECT_THAT(emulator->observer()->observation().hazards, testing::IsEmpty()) << name;
  return emulator->observer()->observation().counters;
}

constexpr int tile_rows = 128, cta_warps = 8;

TEST(DropoutBackward, ShufflesForItsDrawsAndMovesAndMultipliesNothingMore) {
  Problem problem{.heads = 2, .seqlen = 2 * tile_rows};
  const Counters without = counters_of_backward("v10_transposed_scores", problem);
  problem.dropout = 0.1;
  Counters with = counters_of_backward("v11_dropout_backward", problem);
  constexpr uint64_t tiles = 2 * 2 * 2, of_queries = 2 * 2, of_keys = 2 * 2;  // of two heads
  // 4 draws of a warp, each of 4 words.
  EXPECT_EQ(with.shuffle_instructions - without.shuffle_instructions, tiles * cta_warps * 4 * 4);
  // Of starts 2 in the first and the last launch, and as many again of keys in the middle one; a sector each.
  EXPECT_EQ(with.global_load.instructions - without.global_load.instructions,
            cta_warps * (2 * 2 * of_queries + 4 * of_keys));
  EXPECT_EQ(with.global_load.sectors - without.global_load.sectors, cta_warps * (2 * 2 * of_queries + 4 * of_keys));
  with.shuffle_instructions = without.shuffle_instructions;
  with.global_load = without.global_load;
  with.hbm_bytes_read = without.hbm_bytes_read;
  EXPECT_EQ(with, without);
}

TEST(DropoutBackward, DrawsAsMuchWhereNothingIsDropped) {
  Problem problem{.seqlen = tile_rows + 3, .mask = Mask::causal};
  const Counters without = counters_of_backward("v11_dropout_backward", problem);
  problem.dropout = 0.5;
  EXPECT_EQ(counters_of_backward("v11_dropout_backward", problem), without);
}

TEST(DropoutBackward, ATileThatASequenceDoesNotHaveDoesNothing) {
  Problem problem{.batch = 6, .seqlen = tile_rows + 10};
  problem.padding = 20;
  uint64_t tiles = 0;
  for (int b = 0; b < problem.batch; b++) {
    const int of_sequence = (problem.queries_of(b) + tile_rows - 1) / tile_rows;
    tiles += of_sequence * of_sequence;
  }
  ASSERT_GT(tiles, uint64_t{6});
  ASSERT_LT(tiles, uint64_t{6 * 2 * 2});
  const Counters counters = counters_of_backward("v11_dropout_backward", problem);
  constexpr uint64_t of_product = tile_rows * tile_rows * 64 / (16 * 8 * 16);
  EXPECT_EQ(counters.mma_instructions, tiles * 5 * of_product);
  EXPECT_EQ(counters.shared_wavefronts(), counters.shared_ideal_wavefronts());
}

}  // namespace
}  // namespace flash_steps
