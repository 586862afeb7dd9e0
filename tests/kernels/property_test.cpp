// Any kernel in any config is right and without hazards on any problem that it covers. The other tests choose their
// problems; here a seed does. FLASH_STEPS_PROPERTY_SEED=N draws others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iterator>
#include <random>
#include <string>

#include "harness/console/report.h"
#include "harness/contract/coverage.h"
#include "harness/contract/problem.h"
#include "harness/contract/registry.h"
#include "harness/machine/machine.h"
#include "harness/truth/judge.h"

namespace flash_steps {
namespace {

constexpr int drawn_problems = 60;

uint64_t property_seed() {
  const char* const text = std::getenv("FLASH_STEPS_PROPERTY_SEED");
  return text ? std::strtoull(text, nullptr, 10) : 20250131;
}

class Draw {
 public:
  explicit Draw(uint64_t seed) : random_(seed) {}

  // From 0 to count - 1. Not a distribution of the library's, which differ between libraries.
  size_t below(size_t count) { return random_() % count; }
  int between(int first, int last) { return first + static_cast<int>(below(last - first + 1)); }

  template <typename List>
  const auto& one_of(const List& list) {
    return list[below(std::size(list))];
  }

 private:
  std::mt19937_64 random_;
};

class AnyProblem : public testing::TestWithParam<int> {};

TEST_P(AnyProblem, IsComputedRightAndWithoutHazards) {
  const uint64_t seed = property_seed();
  Draw draw(seed + static_cast<uint64_t>(GetParam()));
  const Kernel& kernel = draw.one_of(kernels());
  const Variant& variant = draw.one_of(kernel.emulator());
  const TileShape& tile = variant.tile;

  Problem problem;
  problem.heads = tile.heads != 0 ? tile.heads : draw.between(1, 4);
  problem.batch = problem.heads <= 2 ? draw.between(1, 3) : 1;
  problem.seqlen = draw.between(1, problem.heads * problem.batch <= 2 && !tile.scalar ? 6 : 3) * seqlen_step(tile);
  problem.head_dim = variant.coverage.head_dims.front();
  problem.dtype = variant.dtype;
  problem.pass = variant.coverage.passes.front();
  problem.inputs = draw.one_of(all_distributions);
  problem.seed = draw.below(1000000);
  const int threads = draw.between(1, 4);
  const uint64_t lane_order = draw.below(3);
  SCOPED_TRACE("FLASH_STEPS_PROPERTY_SEED=" + std::to_string(seed) + ": " + kernel.name + " " + tile.config + ", " +
               describe(problem) + ", " + std::to_string(threads) + " threads, lane order " +
               std::to_string(lane_order));

  const auto emulator = make_emulator(threads, lane_order);
  ASSERT_EQ(refusal(variant, problem), std::nullopt);
  ASSERT_EQ(emulator->refusal(variant, problem), std::nullopt);
  emulator->load(problem, true);
  const OutputErrors errors = emulator->check(variant);
  const Judgement verdict = judge(errors, problem.dtype);
  EXPECT_TRUE(verdict.right) << "largest error " << errors.max_abs << " (tolerance " << verdict.tolerance << "), rms "
                             << errors.rms << " (tolerance " << verdict.rms_tolerance << ")";
  EXPECT_THAT(emulator->observer()->observation().hazards, testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Drawn, AnyProblem, testing::Range(0, drawn_problems));

}  // namespace
}  // namespace flash_steps
