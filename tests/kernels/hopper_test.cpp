// The kernels with Hopper's instructions on the emulator: right, free of hazards, and with the counters that their
// pages claim.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "harness/contract/registry.h"
#include "harness/machine/machine.h"
#include "harness/truth/judge.h"

namespace flash_steps {
namespace {

using testing::IsEmpty;

constexpr int products_of_a_tile = 16;  // of 64 rows by 128 columns, S and O together
constexpr int tile = 128;

std::vector<const Kernel*> hopper_kernels() {
  std::vector<const Kernel*> list;
  for (const Kernel* kernel : of_chapter("beyond")) {
    if (kernel->emulator().front().needs.exactly) list.push_back(kernel);
  }
  return list;
}

struct Outcome {
  bool right;
  std::vector<uint16_t> output;
  Observation observation;
};

Outcome run(const Variant& variant, const Problem& problem, uint64_t lane_order_seed = 0) {
  const auto emulator = make_emulator(0, lane_order_seed);
  emulator->load(problem, true);
  const OutputErrors errors = emulator->check(variant);
  return {judge(errors, problem.dtype).right, emulator->output(), emulator->observer()->observation()};
}

void expect_good(const Variant& variant, const Problem& problem, uint64_t lane_order_seed = 0) {
  const Outcome outcome = run(variant, problem, lane_order_seed);
  EXPECT_TRUE(outcome.right) << variant.kernel << " " << variant.tile.config;
  EXPECT_THAT(outcome.observation.hazards, IsEmpty()) << variant.kernel << " " << variant.tile.config;
}

TEST(Hopper, ThereAreSuchKernels) { EXPECT_GE(hopper_kernels().size(), 7u); }

TEST(Hopper, EveryVariantIsRightWithOneBlockAndWithThree) {
  for (const Kernel* kernel : hopper_kernels()) {
    for (const Variant& variant : kernel->emulator()) {
      for (const int seqlen : {tile, 3 * tile}) expect_good(variant, {.seqlen = seqlen, .dtype = variant.dtype});
    }
  }
}

TEST(Hopper, SeveralHeadsAndSequencesAreKeptApart) {
  for (const Kernel* kernel : hopper_kernels()) {
    expect_good(kernel->emulator().front(), {.batch = 2, .heads = 3, .seqlen = 2 * tile});
  }
}

TEST(Hopper, TheOrderInWhichWarpsRunDoesNotMatter) {
  for (const Kernel* kernel : hopper_kernels()) {
    const Variant& variant = kernel->emulator().front();
    const Problem problem{.heads = 2, .seqlen = 3 * tile};
    const std::vector<uint16_t> output = run(variant, problem).output;
    for (const uint64_t seed : {1, 2, 3}) {
      expect_good(variant, problem, seed);
      EXPECT_EQ(run(variant, problem, seed).output, output) << kernel->name;
    }
  }
}

// From one to the next the same numbers are computed at other times, until a maximum may lag behind.
TEST(Hopper, TheKernelsWithoutVotesAreBitEqual) {
  const Problem problem{.seqlen = 3 * tile, .inputs = InputDistribution::large};
  std::vector<uint16_t> first;
  for (const Kernel* kernel : hopper_kernels()) {
    const Outcome outcome = run(kernel->emulator().front(), problem);
    if (outcome.observation.counters.vote_instructions > 0) continue;
    if (first.empty()) first = outcome.output;
    EXPECT_EQ(outcome.output, first) << kernel->name;
  }
}

TEST(Hopper, CountsWhatThePagesClaim) {
  constexpr int blocks = 3;
  for (const Kernel* kernel : hopper_kernels()) {
    SCOPED_TRACE(kernel->name);
    const Counters counters = run(kernel->emulator().front(), {.seqlen = blocks * tile}).observation.counters;
    EXPECT_EQ(counters.ldmatrix.instructions, 0u);
    EXPECT_EQ(counters.mma_instructions, 0u);
    EXPECT_EQ(counters.wgmma_instructions, uint64_t{blocks} * blocks * 2 * 4 * products_of_a_tile);
    EXPECT_EQ(counters.shared_store.bank_conflicts(), 0u);
    EXPECT_EQ(counters.stmatrix_wavefronts, 4 * counters.stmatrix_instructions);  // as many as without conflicts
    const bool by_tma = kernel->number >= 20;
    EXPECT_EQ(counters.cp_async.instructions == 0, by_tma);
    // Q in two boxes, K and V of each block in one.
    EXPECT_EQ(counters.tma_load_instructions, by_tma ? blocks * (2u + 2 * blocks) : 0u);
    const bool stores_by_tma = kernel->number >= 23;
    EXPECT_EQ(counters.global_store.instructions == 0, stores_by_tma);
    EXPECT_EQ(counters.stmatrix_instructions > 0, stores_by_tma);
    EXPECT_EQ(counters.tma_store_sectors + counters.global_store.sectors, uint64_t{blocks} * tile * 128 * 2 / 32);
  }
}

}  // namespace
}  // namespace flash_steps
