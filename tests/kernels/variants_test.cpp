// The chapter of variants is right where problems are no multiples of anything, and does no more than it must.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "harness/contract/coverage.h"
#include "harness/contract/registry.h"
#include "harness/machine/machine.h"
#include "harness/truth/judge.h"
#include "tests/support/all_configs.h"

namespace flash_steps {
namespace {

using testing::IsEmpty;

struct VariantCase {
  const Kernel* kernel;
  const Variant* variant;
};

void PrintTo(const VariantCase& c, std::ostream* out) { *out << c.kernel->name << " " << c.variant->tile.config; }

// One more and one less than a tile, a single query or key, more of the one than of the other. With more queries than
// keys the first of them attend to none under a causal mask.
std::vector<Problem> odd_problems(const Variant& variant) {
  const int rows = variant.tile.tile_rows;
  const int cols = variant.tile.tile_cols;
  const std::pair<int, int> lengths[] = {{1, 1},        {rows - 1, rows - 1},     {rows, cols + 1},
                                         {rows + 1, 1}, {rows + 1, 2 * cols - 1}, {cols + 3, cols - 1}};
  std::vector<Problem> problems;
  for (const Mask mask : variant.coverage.masks) {
    for (const auto& [queries, keys] : lengths) {
      Problem problem{.seqlen = queries, .head_dim = variant.coverage.head_dims.front(), .dtype = variant.dtype};
      problem.seqlen_kv = keys == queries ? 0 : keys;
      problem.mask = mask;
      problem.pass = variant.coverage.passes.front();
      // Another one each time; several heads and sequences where they are short.
      problem.inputs = all_distributions[(problems.size() * 5 + 2) % std::size(all_distributions)];
      problem.batch = queries < rows ? 2 : 1;
      problem.heads = queries < rows ? 2 : 1;
      if (variant.coverage.grouped_heads && problems.size() % 3 != 2) {
        problem.kv_heads = problem.heads;
        problem.heads *= problems.size() % 3 == 0 ? 2 : 3;
      }
      problems.push_back(problem);
    }
  }
  return problems;
}

// Sequences of different lengths, and weights that are dropped: what only some cover.
std::vector<Problem> irregular_problems(const Variant& variant) {
  const int rows = variant.tile.tile_rows;
  const int cols = variant.tile.tile_cols;
  const Problem plain{.heads = 2,
                      .head_dim = variant.coverage.head_dims.front(),
                      .dtype = variant.dtype,
                      .pass = variant.coverage.passes.front()};
  std::vector<Problem> problems;
  const auto add = [&](int queries, int keys, int padding, double dropout) {
    Problem problem = plain;
    problem.seqlen = queries;
    problem.seqlen_kv = keys;
    problem.padding = padding;
    problem.dropout = dropout;
    problem.dropout_offset = 0xffffffd8;  // where a counter carries beyond 32 bits
    problem.batch = padding > 0 ? 4 : 1;
    problem.mask = problems.size() % 2 == 0 ? Mask::causal : Mask::none;
    problem.inputs = problems.size() % 3 == 2 ? InputDistribution::onehot : InputDistribution::normal;
    problems.push_back(problem);
  };
  if (variant.coverage.packed) {
    add(rows + 20, 0, 40, 0);
    add(rows / 2, 2 * cols, std::min(cols, rows / 2 - 1), 0);
    add(30, 4, 4, 0);  // some have no key
    add(5, 30, 5, 0);  // some have no query
  }
  if (variant.coverage.dropout) {
    add(rows + 1, cols + 33, 0, 0.1);
    add(rows / 2, 0, 20, 0.5);
  }
  return problems;
}

void expect_right(Machine& emulator, const VariantCase& c, const Problem& problem) {
  SCOPED_TRACE(describe(problem));
  ASSERT_EQ(refusal(*c.variant, problem, {}), std::nullopt);
  emulator.load(problem, true);
  const OutputErrors errors = emulator.check(*c.variant);
  const Judgement verdict = judge(errors, problem.dtype);
  EXPECT_TRUE(verdict.right) << "largest error " << errors.max_abs << " (tolerance " << verdict.tolerance << "), rms "
                             << errors.rms << " (tolerance " << verdict.rms_tolerance << ")";
  EXPECT_THAT(emulator.observer()->observation().hazards, IsEmpty());
}

class Variants : public testing::TestWithParam<VariantCase> {};

TEST_P(Variants, AreRightAtOddLengths) {
  const auto emulator = make_emulator();
  for (const Problem& problem : odd_problems(*GetParam().variant)) expect_right(*emulator, GetParam(), problem);
}

TEST_P(Variants, AreRightWithSequencesOfDifferentLengthsAndWithDropout) {
  const auto emulator = make_emulator();
  for (const Problem& problem : irregular_problems(*GetParam().variant)) expect_right(*emulator, GetParam(), problem);
}

// All configs in one type, and the default one in both: the types differ in words that all configs have.
std::vector<VariantCase> variant_cases() {
  std::vector<VariantCase> cases;
  for (const Kernel* kernel : of_chapter("variants")) {
    for (const Variant& variant : kernel->emulator()) {
      const bool is_default = variant.tile.config == kernel->emulator().front().tile.config;
      if (is_default || variant.dtype == Dtype::fp16) cases.push_back({kernel, &variant});
    }
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Registered, Variants, testing::ValuesIn(variant_cases()), [](const auto& info) {
  std::string name =
      info.param.kernel->name + "_" + info.param.variant->tile.config + "_" + name_of(info.param.variant->dtype);
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
  return name;
});

const Variant& variant_of(const std::string& name, int head_dim = default_head_dim) {
  for (const Variant& variant : find_kernel(name)->emulator()) {
    if (variant.dtype == Dtype::fp16 && variant.coverage.head_dims.front() == head_dim) return variant;
  }
  throw std::runtime_error(name + " has no config for head_dim " + std::to_string(head_dim));
}

Counters count(const std::string& name, const Problem& problem) {
  const auto emulator = make_emulator();
  emulator->load(problem, false);
  emulator->launch(variant_of(name, problem.head_dim));
  EXPECT_THAT(emulator->observer()->observation().hazards, IsEmpty()) << name;
  return emulator->observer()->observation().counters;
}

// The products of a tile with a block, of 16×8×16 each.
uint64_t products(const Variant& variant, int head_dim) {
  return uint64_t{2} * variant.tile.tile_rows * variant.tile.tile_cols * head_dim / (16 * 8 * 16);
}

TEST(AnyLength, CountsWhatTheSixteenthCountsWhereTilesAreFull) {
  NEEDS_ALL_CONFIGS();
  const Problem problem{.seqlen = 256};
  const auto emulator = make_emulator();
  emulator->load(problem, false);
  const auto& sixteenth = of_chapter(sixteen).back()->emulator();
  const auto one_head = std::find_if(sixteenth.begin(), sixteenth.end(), [](const Variant& v) {
    return v.tile.heads == 1 && v.dtype == Dtype::fp16 && v.tile.tile_rows == 128;
  });
  ASSERT_NE(one_head, sixteenth.end());
  emulator->launch(*one_head);
  EXPECT_EQ(count("v01_any_length", problem), emulator->observer()->observation().counters);
}

TEST(AnyLength, ReadsAndWritesNoRowThatIsNotThere) {
  constexpr uint64_t row_bytes = default_head_dim * 2;
  const Counters counters = count("v01_any_length", {.seqlen = 129, .seqlen_kv = 65});
  EXPECT_EQ(counters.hbm_bytes_read, (129 + 2 * 65) * row_bytes);
  EXPECT_EQ(counters.hbm_bytes_written, 129 * row_bytes);
  // Two tiles, of 128 rows and of 1, which both read all keys: sectors of 32 bytes.
  EXPECT_EQ(counters.cp_async.sectors, (129 + 2 * 2 * 65) * row_bytes / 32);
  EXPECT_EQ(counters.global_store.sectors, 129 * row_bytes / 32);
}

TEST(Causal, SkipsTheBlocksAboveTheDiagonal) {
  const Variant& variant = variant_of("v02_causal");
  ASSERT_EQ(variant.tile.tile_rows, 128);
  ASSERT_EQ(variant.tile.tile_cols, 64);
  const uint64_t of_block = products(variant, default_head_dim);
  // Tiles of 128 rows, blocks of 64 keys: 2, 4 and 6 of them for the three tiles, of 6 each without a mask.
  EXPECT_EQ(count("v02_causal", {.seqlen = 384, .mask = Mask::causal}).mma_instructions, (2 + 4 + 6) * of_block);
  EXPECT_EQ(count("v02_causal", {.seqlen = 384}).mma_instructions, 3 * 6 * of_block);
}

TEST(Causal, IsAlignedAtTheEnds) {
  const uint64_t of_block = products(variant_of("v02_causal"), default_head_dim);
  const auto blocks = [&](int queries, int keys) {
    return count("v02_causal", {.seqlen = queries, .seqlen_kv = keys, .mask = Mask::causal}).mma_instructions /
           of_block;
  };
  EXPECT_EQ(blocks(128, 256), 4u);     // the first query sees 129 keys, and the last all of them
  EXPECT_EQ(blocks(1, 200), 4u);       // one query, behind all keys
  EXPECT_EQ(blocks(256, 64), 1 + 1u);  // of the first tile no row sees a key: one block all the same
}

TEST(HeadDim, NoLengthOfAHeadHasBankConflicts) {
  for (const Variant& variant : find_kernel("v03_head_dim")->emulator()) {
    const Problem problem{.seqlen = 128, .head_dim = variant.coverage.head_dims.front(), .dtype = variant.dtype};
    const auto emulator = make_emulator();
    emulator->load(problem, false);
    emulator->launch(variant);
    const Counters& counters = emulator->observer()->observation().counters;
    EXPECT_EQ(counters.shared_wavefronts(), counters.shared_ideal_wavefronts()) << variant.tile.config;
    // Whole sectors: each element of Q, K, V and O is moved once by the one or two tiles that want it.
    const uint64_t tiles = 128 / variant.tile.tile_rows;
    EXPECT_EQ(counters.cp_async.sectors, (1 + 2 * tiles) * problem.bytes() / 32) << variant.tile.config;
    EXPECT_EQ(counters.global_store.sectors, static_cast<uint64_t>(problem.bytes()) / 32) << variant.tile.config;
  }
}

TEST(GroupedQuery, ReadsAHeadOfKeysForAllHeadsOfItsGroup) {
  NEEDS_ALL_CONFIGS();
  const Problem one_each{.heads = 4, .seqlen = 128, .head_dim = 64};
  Problem grouped = one_each;
  grouped.kv_heads = 1;
  const Counters each = count("v05_grouped_query", one_each);
  const Counters shared = count("v05_grouped_query", grouped);
  constexpr uint64_t of_starts = 2 * 32;  // two sectors, of queries and of keys
  EXPECT_EQ(each.hbm_bytes_read, 3u * one_each.bytes() + of_starts);
  EXPECT_EQ(shared.hbm_bytes_read, static_cast<uint64_t>(grouped.bytes() + 2 * grouped.kv_bytes()) + of_starts);
  // Who asks, and what for, is the same.
  EXPECT_EQ(shared.cp_async, each.cp_async);
  EXPECT_EQ(shared.mma_instructions, each.mma_instructions);
}

TEST(Packed, ATileThatASequenceDoesNotHaveDoesNothing) {
  const Variant& variant = variant_of("v04_packed");
  const int rows = variant.tile.tile_rows;
  Problem problem{.batch = 6, .seqlen = rows + 10};
  problem.padding = 20;
  uint64_t blocks = 0;
  int of_two_tiles = 0;
  for (int b = 0; b < problem.batch; b++) {
    const int queries = problem.queries_of(b);
    of_two_tiles += queries > rows;
    blocks += (queries + rows - 1) / rows * ((queries + variant.tile.tile_cols - 1) / variant.tile.tile_cols);
  }
  ASSERT_GT(of_two_tiles, 0);
  ASSERT_LT(of_two_tiles, problem.batch);
  const Counters counters = count("v04_packed", problem);
  EXPECT_EQ(counters.mma_instructions, blocks * products(variant, default_head_dim));
  const std::vector<int> starts = query_starts(problem);
  const uint64_t of_starts = (starts.size() * sizeof(int) + 31) / 32 * 32;
  EXPECT_EQ(counters.hbm_bytes_read, static_cast<uint64_t>(problem.bytes() + 2 * problem.kv_bytes()) + 2 * of_starts);
  EXPECT_EQ(counters.hbm_bytes_written, static_cast<uint64_t>(problem.bytes()));
}

TEST(Logsumexp, StoresFourBytesARowMore) {
  const Problem problem{.heads = 2, .seqlen = 256};
  const Counters without = count("v05_grouped_query", problem);
  Counters with = count("v06_logsumexp", problem);
  EXPECT_EQ(with.hbm_bytes_written - without.hbm_bytes_written, 4u * problem.rows());
  // Eight rows of a fragment are one sector, and one instruction.
  EXPECT_EQ(with.global_store.instructions - without.global_store.instructions, problem.rows() / 8u);
  EXPECT_EQ(with.global_store.sectors - without.global_store.sectors, problem.rows() / 8u);
  with.global_store = without.global_store;
  with.hbm_bytes_written = without.hbm_bytes_written;
  EXPECT_EQ(with, without);
}

TEST(Dropout, MovesNothingAndMultipliesNothingMore) {
  Problem problem{.heads = 2, .seqlen = 256};
  const Counters without = count("v06_logsumexp", problem);
  problem.dropout = 0.1;
  EXPECT_EQ(count("v07_dropout", problem), without);
}

constexpr uint64_t mma_of_block = 64 * 64 * default_head_dim / (16 * 8 * 16);  // of a product of v08

TEST(Backward, ComputesSevenProductsOfEachBlockWithoutBankConflicts) {
  const Counters counters = count("v08_backward", {.seqlen = 256, .pass = Pass::backward});
  EXPECT_EQ(counters.mma_instructions, 7 * 4 * 4 * mma_of_block);
  EXPECT_EQ(counters.shared_wavefronts(), counters.shared_ideal_wavefronts());
}

TEST(Backward, SkipsTheBlocksThatTheMaskHides) {
  const auto blocks = [](int queries, int keys) {
    const Problem problem{.seqlen = queries, .seqlen_kv = keys, .mask = Mask::causal, .pass = Pass::backward};
    return count("v08_backward", problem).mma_instructions / mma_of_block;
  };
  EXPECT_EQ(blocks(256, 256), 7u * (4 + 3 + 2 + 1));
  EXPECT_EQ(blocks(64, 256), 7u * 4);
  // Of the first three tiles of queries no row sees a key; each walks over one block all the same.
  EXPECT_EQ(blocks(256, 64), 4u + 3 * 4);
}

TEST(Backward, RepeatsAreEqualInEveryBit) {
  const auto emulator = make_emulator(2);
  emulator->load({.heads = 2, .seqlen = 70, .kv_heads = 1, .pass = Pass::backward}, false);
  for (const char* kernel : {"v08_backward", "v09_atomic_dq"}) {
    EXPECT_EQ(emulator->differing_repeats(variant_of(kernel), 3), 0) << kernel;
  }
}

TEST(Backward, OnlyWhatAtomicsAddUpMayDifferOnAGpu) {
  EXPECT_TRUE(variant_of("v08_backward").repeats(Output::dq));
  EXPECT_FALSE(variant_of("v09_atomic_dq").repeats(Output::dq));
  EXPECT_TRUE(variant_of("v09_atomic_dq").repeats(Output::dk));
  EXPECT_TRUE(variant_of("v09_atomic_dq").repeats(Output::dv));
}

// On the emulator additions have an order.
TEST(Backward, DqDoesNotDependOnTheNumberOfHostThreads) {
  std::vector<std::vector<uint16_t>> outputs;
  for (const int host_threads : {1, 3}) {
    const auto emulator = make_emulator(host_threads);
    emulator->load({.heads = 2, .seqlen = 300, .pass = Pass::backward}, false);
    emulator->launch(variant_of("v09_atomic_dq"));
    outputs.push_back(emulator->output());
  }
  EXPECT_EQ(outputs[0], outputs[1]);
}

TEST(Backward, InOnePassComputesFiveProductsAndAddsEachSumOncePerTileOfKeys) {
  NEEDS_ALL_CONFIGS();
  for (const int head_dim : {64, 128}) {
    const Variant& variant = variant_of("v09_atomic_dq", head_dim);
    const Problem problem{.seqlen = 256, .head_dim = head_dim, .pass = Pass::backward};
    const Counters counters = count("v09_atomic_dq", problem);
    const uint64_t tiles = 256 / variant.tile.tile_rows * (256 / variant.tile.tile_cols);
    EXPECT_EQ(counters.mma_instructions, 5 * tiles * products(variant, head_dim) / 2);
    EXPECT_EQ(counters.shared_wavefronts(), counters.shared_ideal_wavefronts());
    // Whole sectors: fp32 is two 16-bit elements.
    const uint64_t tiles_of_keys = 256 / variant.tile.tile_cols;
    EXPECT_EQ(counters.reduction_sectors, tiles_of_keys * 2 * problem.bytes() / 32);
    EXPECT_EQ(counters.reduction_instructions, counters.reduction_sectors / 4) << "32 lanes add to 128 bytes";
  }
}

// Of heads of 64 elements.
TEST(Backward, TransposedScoresTakeFewerWavefronts) {
  NEEDS_ALL_CONFIGS();
  const Problem problem{.seqlen = 256, .head_dim = 64, .pass = Pass::backward};
  const Counters before = count("v09_atomic_dq", problem), counters = count("v10_transposed_scores", problem);
  EXPECT_EQ(counters.mma_instructions, before.mma_instructions);
  EXPECT_EQ(counters.reduction_sectors, before.reduction_sectors);
  EXPECT_EQ(counters.shared_wavefronts(), counters.shared_ideal_wavefronts());
  constexpr uint64_t tiles = 2 * 2;
  EXPECT_EQ(before.ldmatrix.wavefronts - counters.ldmatrix.wavefronts, tiles * 1024);
  EXPECT_EQ(counters.ldmatrix.wavefronts, tiles * (2 * 2048 - 256 - 256));
}

// Wavefronts of a tile of queries with one of keys: what each launch moves besides does not grow with both lengths.
TEST(Backward, InOnePassReadsSharedMemoryAsOftenAsItsPageSays) {
  NEEDS_ALL_CONFIGS();
  const auto of_tile = [](int head_dim) {
    const Variant& variant = variant_of("v09_atomic_dq", head_dim);
    const auto wavefronts = [&](int queries, int keys) {
      const Problem problem{.seqlen = queries * variant.tile.tile_rows, .head_dim = head_dim, .pass = Pass::backward};
      Problem with_keys = problem;
      with_keys.seqlen_kv = keys * variant.tile.tile_cols;
      return count("v09_atomic_dq", with_keys).shared_wavefronts();
    };
    return wavefronts(2, 2) + wavefronts(1, 1) - wavefronts(2, 1) - wavefronts(1, 2);
  };
  // Operands; P and dS; Q and dO; L and D, once copied and once read, by lanes of which four want the same.
  EXPECT_EQ(of_tile(128), 4608u + 256 + 256 + 4 + 32);
  EXPECT_EQ(of_tile(64), 4608u + 512 + 256 + 8 + 32);
}

TEST(Backward, OfEachGradientItIsSaidWhetherItIsRight) {
  Variant variant = variant_of("v08_backward");
  variant.plan = [plan = variant.plan](const Problem& problem, Tensors tensors) {
    std::swap(tensors.dk, tensors.dv);
    return plan(problem, tensors);
  };
  const auto emulator = make_emulator();
  emulator->load({.seqlen = 64, .pass = Pass::backward}, true);
  const OutputErrors errors = emulator->check(variant);
  ASSERT_EQ(errors.each.size(), 3u);
  EXPECT_TRUE(judge(errors.each[0], Dtype::fp16).right);
  EXPECT_FALSE(judge(errors.each[1], Dtype::fp16).right);
  EXPECT_FALSE(judge(errors.each[2], Dtype::fp16).right);
  EXPECT_FALSE(judge(errors, Dtype::fp16).right);
}

}  // namespace
}  // namespace flash_steps
