// Inputs: which values a problem starts from.
#include "harness/truth/inputs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "harness/truth/numbers.h"
#include "harness/truth/reference.h"

namespace flash_steps {
namespace {

Problem problem_of(InputDistribution inputs, Dtype dtype = Dtype::fp16) {
  Problem problem;
  problem.batch = 2;
  problem.heads = 3;
  problem.seqlen = 64;
  problem.dtype = dtype;
  problem.inputs = inputs;
  return problem;
}

std::vector<double> values(const std::vector<uint16_t>& bits, Dtype dtype) {
  std::vector<double> result;
  for (uint16_t b : bits) result.push_back(to_double(b, dtype));
  return result;
}

double mean(const std::vector<double>& x) {
  double sum = 0;
  for (double value : x) sum += value;
  return sum / x.size();
}

double deviation(const std::vector<double>& x) {
  double squares = 0;
  for (double value : x) squares += value * value;
  return std::sqrt(squares / x.size() - mean(x) * mean(x));
}

double dot(const std::vector<double>& a, int64_t a_offset, const std::vector<double>& b, int64_t b_offset) {
  double sum = 0;
  for (int d = 0; d < default_head_dim; d++) sum += a[a_offset + d] * b[b_offset + d];
  return sum;
}

TEST(Inputs, TheMixerIsSplitMix64) {
  // The first outputs of the published generator with seed 0.
  constexpr uint64_t golden_gamma = 0x9e3779b97f4a7c15u;
  EXPECT_EQ(mix64(1 * golden_gamma), 0xe220a8397b1dcdafu);
  EXPECT_EQ(mix64(2 * golden_gamma), 0x6e789e6aa1b965f4u);
  EXPECT_EQ(mix64(3 * golden_gamma), 0x06c45d188009454fu);
}

TEST(Inputs, AnElementIsAConstantExpressionOfItsIndex) {
  static constexpr uint16_t table[4 * input_table_size] = {};
  constexpr InputGenerator element{Problem{}, table};
  static_assert(element(Tensor::v, 12345) == 0);
}

TEST(Inputs, TheSameSeedGivesTheSameBitsAndAnotherSeedOthers) {
  Problem problem = problem_of(InputDistribution::normal);
  const HostInputs first = make_inputs(problem);
  EXPECT_EQ(first.q, make_inputs(problem).q);
  problem.seed = 2;
  EXPECT_NE(first.q, make_inputs(problem).q);
}

TEST(Inputs, QKAndVDifferFromEachOther) {
  const HostInputs inputs = make_inputs(problem_of(InputDistribution::normal));
  EXPECT_NE(inputs.q, inputs.k);
  EXPECT_NE(inputs.k, inputs.v);
  EXPECT_NE(inputs.q, inputs.v);
}

TEST(Inputs, NormalHasTheMomentsOfAStandardNormalDistribution) {
  for (Dtype dtype : all_dtypes) {
    const HostInputs inputs = make_inputs(problem_of(InputDistribution::normal, dtype));
    for (const auto* tensor : {&inputs.q, &inputs.k, &inputs.v}) {
      const std::vector<double> x = values(*tensor, dtype);  // 49152 values: the mean's deviation is 0.0045
      EXPECT_NEAR(mean(x), 0, 0.02);
      EXPECT_NEAR(deviation(x), 1, 0.02);
      const auto within_one = std::count_if(x.begin(), x.end(), [](double v) { return std::abs(v) < 1; });
      EXPECT_NEAR(double(within_one) / x.size(), 0.6827, 0.01);
    }
  }
}

TEST(Inputs, NormalQuantilesInvertTheDistributionFunction) {
  const std::vector<uint16_t> table = input_table(problem_of(InputDistribution::normal));
  for (int i = 0; i < input_table_size; i += 13) {
    const double x = to_double(table[i], Dtype::fp16);
    const double cdf = 0.5 * std::erfc(-x / std::sqrt(2.0));
    // fp16 moves x by up to 2^-11 of itself, and Φ by that times the density.
    EXPECT_NEAR(cdf, (i + 0.5) / input_table_size, 1.5e-4) << i;
  }
}

TEST(Inputs, NeighboursAreNotCorrelated) {
  const std::vector<double> x = values(make_inputs(problem_of(InputDistribution::normal)).q, Dtype::fp16);
  for (size_t distance : {1, 2, 128, 384}) {
    double sum = 0;
    for (size_t i = distance; i < x.size(); i++) sum += x[i] * x[i - distance];
    EXPECT_NEAR(sum / x.size(), 0, 0.02) << distance;
  }
}

TEST(Inputs, UniformFillsTheRangeFromMinusOneToOne) {
  const std::vector<double> x = values(make_inputs(problem_of(InputDistribution::uniform)).q, Dtype::fp16);
  EXPECT_NEAR(*std::min_element(x.begin(), x.end()), -1, 1e-3);
  EXPECT_NEAR(*std::max_element(x.begin(), x.end()), 1, 1e-3);
  EXPECT_NEAR(mean(x), 0, 0.02);
  EXPECT_NEAR(deviation(x), std::sqrt(1.0 / 3), 0.01);
}

TEST(Inputs, LargeLogitsDeviateByHundreds) {
  const Problem problem = problem_of(InputDistribution::large);
  const HostInputs inputs = make_inputs(problem);
  const std::vector<double> q = values(inputs.q, problem.dtype), k = values(inputs.k, problem.dtype);
  std::vector<double> logits;
  const int64_t rows = problem.elements() / problem.head_dim;
  for (int64_t i = 0; i < rows; i++) {
    logits.push_back(dot(q, i * 128, k, (rows - 1 - i) * 128) / std::sqrt(128.0));
  }
  EXPECT_NEAR(deviation(logits), 400, 80);
  EXPECT_LT(*std::max_element(logits.begin(), logits.end()) * std::sqrt(128.0), 65504);  // Q·Kᵀ itself fits in fp16
}

TEST(Inputs, ConstantMakesAllLogitsEqual) {
  const HostInputs inputs = make_inputs(problem_of(InputDistribution::constant));
  EXPECT_TRUE(std::all_of(inputs.q.begin(), inputs.q.end(), [&](uint16_t bits) { return bits == inputs.q[0]; }));
  EXPECT_TRUE(std::all_of(inputs.k.begin(), inputs.k.end(), [&](uint16_t bits) { return bits == inputs.k[0]; }));
  EXPECT_NEAR(deviation(values(inputs.v, Dtype::fp16)), 1, 0.02);
}

TEST(Inputs, TinyIsNormalScaledByPowersOfTwo) {
  for (Dtype dtype : all_dtypes) {
    const HostInputs normal = make_inputs(problem_of(InputDistribution::normal, dtype));
    const HostInputs tiny = make_inputs(problem_of(InputDistribution::tiny, dtype));
    // In fp16 the smaller of the two numbers may be subnormal, with a rounding step of 2^-24.
    const double subnormal_step = dtype == Dtype::fp16 ? 0x1p-24 : 0;
    const auto expect_scaled = [&](const std::vector<uint16_t>& scaled, const std::vector<uint16_t>& unscaled, int by) {
      const double lost = by > 0 ? std::ldexp(subnormal_step, by) : subnormal_step;
      for (size_t i = 0; i < scaled.size(); i++) {
        ASSERT_NEAR(to_double(scaled[i], dtype), std::ldexp(to_double(unscaled[i], dtype), by), lost);
      }
    };
    expect_scaled(tiny.q, normal.q, -12);
    expect_scaled(tiny.k, normal.k, 12);
    expect_scaled(tiny.v, normal.v, -12);
  }
}

TEST(Inputs, InFp16AFifthOfTinyIsSubnormalAndSoIsMostOfO) {
  Problem problem = problem_of(InputDistribution::tiny);
  problem.seqlen = 256;
  const HostInputs inputs = make_inputs(problem);
  const auto subnormal_share = [](const std::vector<double>& x) {
    return std::count_if(x.begin(), x.end(), [](double v) { return std::abs(v) < 0x1p-14; }) / double(x.size());
  };
  EXPECT_NEAR(subnormal_share(values(inputs.q, problem.dtype)), 0.197, 0.01);  // |N(0, 1)| < 1/4
  EXPECT_NEAR(subnormal_share(values(inputs.v, problem.dtype)), 0.197, 0.01);
  EXPECT_EQ(subnormal_share(values(inputs.k, problem.dtype)), 0);
  EXPECT_GT(subnormal_share(reference_attention(problem, inputs).exact), 0.95);
}

TEST(Inputs, OnehotQueriesPointAtOneKeyOfTheirOwnHead) {
  const Problem problem = problem_of(InputDistribution::onehot);
  const HostInputs inputs = make_inputs(problem);
  const InputGenerator element{problem, nullptr};
  const std::vector<double> q = values(inputs.q, problem.dtype), k = values(inputs.k, problem.dtype);
  const int64_t row_stride = problem.heads * 128;
  std::map<int64_t, int> chosen;
  for (int64_t b = 0; b < problem.batch; b++) {
    for (int64_t i = 0; i < problem.seqlen; i++) {
      for (int64_t h = 0; h < problem.heads; h++) {
        const int64_t query = (b * problem.seqlen + i) * row_stride + h * 128;
        const int64_t target = element.key_of_query(query);
        chosen[target]++;
        for (int64_t j = 0; j < problem.seqlen; j++) {
          const double logit = dot(q, query, k, (b * problem.seqlen + j) * row_stride + h * 128) / std::sqrt(128.0);
          if (j == target) {
            EXPECT_DOUBLE_EQ(logit, 8 * std::sqrt(128.0));
          } else {
            EXPECT_LT(logit, 8 * std::sqrt(128.0) - 40);
          }
        }
      }
    }
  }
  EXPECT_GT(chosen.size(), 60u);  // 384 queries spread over 64 keys
}

// The largest logit of each query among `cols` keys at a time, from the last block to the first, in log2 units: by how
// much it grows from block to block.
std::vector<double> growth_of_maxima(const Problem& problem, int64_t first_query, int cols) {
  const HostInputs inputs = make_inputs(problem);
  const std::vector<double> q = values(inputs.q, problem.dtype), k = values(inputs.k, problem.dtype);
  const int64_t row_stride = problem.heads * 128;
  std::vector<double> growth;
  for (int64_t query = first_query; query < first_query + 64; query++) {
    double before = 0;
    for (int block = problem.seqlen / cols - 1; block >= 0; block--) {
      double max = -INFINITY;
      for (int64_t key = block * cols; key < (block + 1) * cols; key++) {
        max = std::max(max, dot(q, query * row_stride, k, key * row_stride) / std::sqrt(128.0) * std::numbers::log2e);
      }
      if (block < problem.seqlen / cols - 1) growth.push_back(max - before);
      before = max;
    }
  }
  return growth;
}

TEST(Inputs, CreepingMaximaGrowByJustUnderEightInEveryBlock) {
  for (Dtype dtype : all_dtypes) {
    Problem problem = problem_of(InputDistribution::creeping, dtype);
    problem.seqlen = 512;
    for (const auto& [first_query, cols] : {std::pair{0, 64}, std::pair{64, 128}}) {
      for (const double growth : growth_of_maxima(problem, first_query, cols)) {
        EXPECT_GT(growth, 7);
        EXPECT_LT(growth, 8);
      }
    }
  }
}

TEST(Inputs, CreepingKeysEndWithTheirTable) {
  static constexpr uint16_t table[4 * input_table_size] = {};
  Problem problem = problem_of(InputDistribution::creeping);
  problem.batch = problem.heads = 1;
  problem.seqlen = 32768;
  const InputGenerator element{problem, table};
  for (int64_t key : {0, 16383, 16384, 32767}) EXPECT_EQ(element(Tensor::k, key * 128 + 127), 0) << key;
}

}  // namespace
}  // namespace flash_steps
