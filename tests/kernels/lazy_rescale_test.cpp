// 17_lazy_rescale and 18_lazy_reduction beside 16_static_stride: the same bits at threshold 0, errors of the same size
// at threshold 8, and how often a warp rescales.
#include <gtest/gtest.h>

#include <string>

#include "harness/contract/registry.h"
#include "harness/machine/machine.h"
#include "harness/truth/judge.h"
#include "tests/support/all_configs.h"

namespace flash_steps {
namespace {

constexpr int tile_cols = 64;
constexpr double most_errors = 1.2;  // in units of those of plain attention in 16 bits

const Variant& variant_of(const std::string& kernel, const std::string& config, Dtype dtype) {
  for (const Variant& variant : find_kernel(kernel)->emulator()) {
    if (variant.dtype == dtype && variant.tile.config == config) return variant;
  }
  throw std::runtime_error(kernel + " has no " + config);
}

struct Rescaled {
  std::vector<uint16_t> output;
  OutputErrors errors;
  Counters counters;
};

class LazyRescale : public testing::TestWithParam<std::tuple<std::string, InputDistribution, Dtype>> {
 protected:
  void SetUp() override { NEEDS_ALL_CONFIGS(); }

  Rescaled run(const std::string& kernel, const std::string& config) const {
    const auto [_, inputs, dtype] = GetParam();
    const auto emulator = make_emulator();
    emulator->load({.seqlen = 6 * tile_cols, .dtype = dtype, .inputs = inputs}, true);
    const OutputErrors errors = emulator->check(variant_of(kernel, config, dtype));
    return {emulator->output(), errors, emulator->observer()->observation().counters};
  }

  Rescaled before() const { return run("16_static_stride", "128x64_q2k2v2c1_h1"); }
  Rescaled lazy(int threshold) const {
    return run(std::get<0>(GetParam()), "128x64_q2k2v2c1_h1_t" + std::to_string(threshold));
  }
};

TEST_P(LazyRescale, WithThreshold0IsBitEqualWithTheStepBefore) { EXPECT_EQ(lazy(0).output, before().output); }

TEST_P(LazyRescale, HasErrorsOfTheSizeOfPlainAttentions) {
  const OutputErrors errors = lazy(8).errors;
  EXPECT_LE(errors.rms, most_errors * errors.ref16_rms);
  EXPECT_LE(errors.max_abs, most_errors * errors.ref16_max_abs);
}

// The first block has nothing to rescale; in the five others each of the four warps of the three CTAs votes once.
TEST_P(LazyRescale, RescalesInFewBlocksUnlessMaximaGrowALot) {
  const Counters counters = lazy(8).counters;
  EXPECT_EQ(counters.vote_instructions, 5u * 4 * 3);
  EXPECT_LE(counters.votes_won, lazy(0).counters.votes_won);
  switch (std::get<InputDistribution>(GetParam())) {
    case InputDistribution::large:
    case InputDistribution::onehot:
      EXPECT_GT(counters.votes_won, counters.vote_instructions / 2);
      break;
    case InputDistribution::creeping:  // two warps of a CTA in every second block, the two others in every third
      EXPECT_EQ(counters.votes_won, (2u * 2 + 2 * 1) * 3);
      break;
    default:
      EXPECT_EQ(counters.votes_won, 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(Steps, LazyRescale,
                         testing::Combine(testing::Values("17_lazy_rescale", "18_lazy_reduction"),
                                          testing::ValuesIn(all_distributions), testing::ValuesIn(all_dtypes)),
                         [](const auto& info) {
                           return std::get<0>(info.param) + "_" + name_of(std::get<1>(info.param)) + "_" +
                                  name_of(std::get<2>(info.param));
                         });

}  // namespace
}  // namespace flash_steps
