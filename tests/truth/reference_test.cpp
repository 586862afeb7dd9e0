// The reference: against a second formula, closed cases, and the rounding that ref16 stands on.
#include "harness/truth/reference.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <set>

#include "harness/truth/judge.h"
#include "harness/truth/numbers.h"

namespace flash_steps {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// Attention by whole matrices, as a textbook writes it: S, then exp without any maximum, then the quotient. Good for
// small logits, and in long double.
struct Unfused {
  std::vector<double> o, lse;
};

Unfused unfused_attention(const Problem& p, const HostInputs& inputs) {
  const std::vector<int> q_starts = query_starts(p), k_starts = key_starts(p);
  const auto q_at = [&](int b, int n, int h, int d) {
    return ((int64_t{q_starts[b]} + n) * p.heads + h) * p.head_dim + d;
  };
  const int group = p.heads / p.key_heads();
  const auto kv_at = [&](int b, int n, int h, int d) {
    return ((int64_t{k_starts[b]} + n) * p.key_heads() + h / group) * p.head_dim + d;
  };
  const auto value = [&](uint16_t bits) { return static_cast<long double>(to_double(bits, p.dtype)); };
  const bool is_causal = p.mask == Mask::causal;
  std::vector<double> o(p.elements()), lse;
  for (int b = 0; b < p.batch; b++) {
    const int queries = q_starts[b + 1] - q_starts[b], keys = k_starts[b + 1] - k_starts[b];
    for (int h = 0; h < p.heads; h++) {
      for (int i = 0; i < queries; i++) {
        std::vector<long double> numerator(p.head_dim);
        long double denominator = 0;
        for (int j = 0; j < keys; j++) {
          if (is_causal && keys - 1 - j < queries - 1 - i) continue;  // counted from the ends
          long double s = 0;
          for (int d = 0; d < p.head_dim; d++)
            s += value(inputs.q[q_at(b, i, h, d)]) * value(inputs.k[kv_at(b, j, h, d)]);
          const long double weight = std::exp(s / std::sqrt(static_cast<long double>(p.head_dim)));
          for (int d = 0; d < p.head_dim; d++) numerator[d] += weight * value(inputs.v[kv_at(b, j, h, d)]);
          denominator += weight;
        }
        for (int d = 0; d < p.head_dim; d++) {
          o[q_at(b, i, h, d)] = denominator == 0 ? 0 : double(numerator[d] / denominator);
        }
        lse.push_back(denominator == 0 ? infinity : double(std::log(denominator)));
      }
    }
  }
  return {o, lse};
}

void expect_equal(const Problem& problem) {
  SCOPED_TRACE(describe(problem));
  const HostInputs host = make_inputs(problem);
  ASSERT_EQ(host.q.size(), static_cast<size_t>(problem.elements()));
  ASSERT_EQ(host.k.size(), static_cast<size_t>(problem.kv_elements()));
  const Unfused second = unfused_attention(problem, host);
  const Reference reference = reference_attention(problem, host);
  for (size_t i = 0; i < second.o.size(); i++) ASSERT_NEAR(reference.exact[i], second.o[i], 1e-13) << i;
  ASSERT_EQ(reference.lse.size(), second.lse.size());
  for (size_t i = 0; i < second.lse.size(); i++) {
    if (std::isinf(second.lse[i])) {
      ASSERT_EQ(reference.lse[i], second.lse[i]) << i;
    } else {
      ASSERT_NEAR(reference.lse[i], second.lse[i], 1e-13) << i;
    }
  }
}

Problem small_problem(InputDistribution inputs, Dtype dtype) {
  Problem problem;
  problem.batch = 2;
  problem.heads = 2;
  problem.seqlen = 48;
  problem.inputs = inputs;
  problem.dtype = dtype;
  return problem;
}

TEST(Reference, EqualsASecondUnfusedFormula) {
  for (Dtype dtype : all_dtypes) {
    for (InputDistribution inputs : {InputDistribution::normal, InputDistribution::uniform}) {
      expect_equal(small_problem(inputs, dtype));
    }
  }
}

// Masks, other numbers of keys and of their heads, other head dimensions, and all of these together.
TEST(Reference, EqualsASecondUnfusedFormulaForTheVariants) {
  Problem problem = small_problem(InputDistribution::normal, Dtype::fp16);
  std::vector<Problem> problems;
  const auto with = [&](auto change) {
    Problem changed = problem;
    change(changed);
    problems.push_back(changed);
  };
  with([](Problem& p) { p.mask = Mask::causal; });
  with([](Problem& p) { p.seqlen_kv = 31; });
  with([](Problem& p) { p.kv_heads = 1; });
  with([](Problem& p) { p.head_dim = 16; });
  with([](Problem& p) { p.padding = 20; });
  problem.heads = 6;
  problem.kv_heads = 3;
  problem.mask = Mask::causal;
  problem.head_dim = 96;
  with([](Problem& p) { p.seqlen_kv = 61; });
  with([](Problem& p) { p.seqlen_kv = 29; });                          // the first queries attend to none
  with([](Problem& p) { p.batch = 9, p.seqlen_kv = p.padding = 5; });  // some sequences have no key
  for (const Problem& p : problems) expect_equal(p);
}

TEST(Reference, PackedSequencesAreThoseOfTheirLengthsAlone) {
  Problem packed = small_problem(InputDistribution::onehot, Dtype::fp16);
  packed.batch = 5;
  packed.padding = 20;
  packed.mask = Mask::causal;
  const HostInputs host = make_inputs(packed);
  const InputGenerator element{packed, nullptr};
  const Reference reference = reference_attention(packed, host);
  const int64_t row = int64_t{packed.heads} * packed.head_dim;
  std::set<int> lengths;
  for (int b = 0; b < packed.batch; b++) {
    lengths.insert(packed.queries_of(b));
    EXPECT_GE(packed.queries_of(b), packed.seqlen - packed.padding);
    EXPECT_LT(packed.queries_of(b), packed.seqlen);
    EXPECT_EQ(packed.keys_of(b), packed.queries_of(b));
    for (int64_t i = packed.first_query(b) * row; i < packed.first_query(b + 1) * row; i++) {
      const int64_t key = element.key_of_query(i);
      ASSERT_LE(key, i / row - packed.first_query(b));
      const double v = to_double(host.v[(packed.first_key(b) + key) * row + i % row], packed.dtype);
      ASSERT_NEAR(reference.exact[i], v, 1e-15);
    }
  }
  EXPECT_GT(lengths.size(), 2u);
  EXPECT_EQ(packed.elements(), packed.first_query(packed.batch) * row);
}

TEST(Reference, OfAQueryThatAttendsToNoKeyIsZero) {
  Problem problem = small_problem(InputDistribution::constant, Dtype::fp16);
  problem.seqlen_kv = 8;
  problem.mask = Mask::causal;
  const Reference reference = reference_attention(problem, make_inputs(problem));
  const int64_t of_row = int64_t{problem.heads} * problem.head_dim;
  const int64_t without = problem.seqlen - 8;
  for (int64_t i = 0; i < of_row * without; i++) {
    ASSERT_EQ(reference.exact[i], 0);
    ASSERT_EQ(reference.ref16[i], 0);
  }
  EXPECT_NE(reference.exact[of_row * without], 0);
}

TEST(Reference, OnehotQueriesUnderACausalMaskReturnARowOfVThatTheySee) {
  Problem problem = small_problem(InputDistribution::onehot, Dtype::fp16);
  problem.mask = Mask::causal;
  problem.kv_heads = 1;
  const HostInputs host = make_inputs(problem);
  const InputGenerator element{problem, nullptr};
  const Reference reference = reference_attention(problem, host);
  for (int64_t i = 0; i < problem.elements(); i++) {
    const int64_t query = i / (problem.heads * problem.head_dim);
    const int64_t key = element.key_of_query(i);
    ASSERT_LE(key, query % problem.seqlen);
    const int64_t row = query / problem.seqlen * problem.seqlen + key;
    ASSERT_NEAR(reference.exact[i], to_double(host.v[row * problem.head_dim + i % problem.head_dim], problem.dtype),
                1e-15);
  }
}

TEST(Reference, EqualLogitsGiveTheMeanOfV) {
  const Problem problem = small_problem(InputDistribution::constant, Dtype::bf16);
  const HostInputs host = make_inputs(problem);
  const Reference reference = reference_attention(problem, host);
  const int64_t row = problem.heads * problem.head_dim;
  for (int64_t b = 0; b < problem.batch; b++) {
    for (int64_t column = 0; column < row; column++) {
      const int64_t first = b * problem.seqlen * row + column;
      double mean = 0;
      for (int64_t j = 0; j < problem.seqlen; j++) mean += to_double(host.v[first + j * row], problem.dtype);
      mean /= problem.seqlen;
      for (int64_t i = 0; i < problem.seqlen; i++) ASSERT_NEAR(reference.exact[first + i * row], mean, 1e-14);
    }
  }
}

TEST(Reference, OnehotQueriesReturnARowOfV) {
  const Problem problem = small_problem(InputDistribution::onehot, Dtype::fp16);
  const HostInputs host = make_inputs(problem);
  const InputGenerator element{problem, nullptr};
  const Reference reference = reference_attention(problem, host);
  const int64_t row = problem.heads * problem.head_dim;
  for (int64_t i = 0; i < problem.elements(); i++) {
    const int64_t batch_start = i / (problem.seqlen * row) * problem.seqlen * row;
    const double v = to_double(host.v[batch_start + element.key_of_query(i) * row + i % row], problem.dtype);
    ASSERT_NEAR(reference.exact[i], v, 1e-15);
    ASSERT_EQ(reference.ref16[i], v);
  }
}

TEST(Reference, HugeLogitsStayFinite) {
  const Problem problem = small_problem(InputDistribution::large, Dtype::fp16);
  const Reference reference = reference_attention(problem, make_inputs(problem));
  for (int64_t i = 0; i < problem.elements(); i++) {
    ASSERT_TRUE(std::isfinite(reference.exact[i]));
    ASSERT_TRUE(std::isfinite(reference.ref16[i]));
  }
}

TEST(Reference, DoesNotDependOnTheNumberOfThreads) {
  const Problem problem = small_problem(InputDistribution::normal, Dtype::fp16);
  const HostInputs host = make_inputs(problem);
  EXPECT_EQ(reference_attention(problem, host, 1).exact, reference_attention(problem, host, 5).exact);
}

TEST(Reference, Ref16IsCloseToTheExactOneAndRounded) {
  for (Dtype dtype : all_dtypes) {
    const Problem problem = small_problem(InputDistribution::normal, dtype);
    const Reference reference = reference_attention(problem, make_inputs(problem));
    double largest = 0;
    for (size_t i = 0; i < reference.exact.size(); i++) {
      const double value = reference.ref16[i];
      ASSERT_EQ(value, to_double(from_double(value, dtype), dtype));
      largest = std::max(largest, std::abs(value - reference.exact[i]));
    }
    EXPECT_GT(largest, 0);
    EXPECT_LT(largest, dtype == Dtype::fp16 ? 0.005 : 0.04);
  }
}

TEST(Rounding, Every16BitNumberSurvivesTheRoundTrip) {
  for (Dtype dtype : all_dtypes) {
    for (int bits = 0; bits < 65536; bits++) {
      const double value = to_double(static_cast<uint16_t>(bits), dtype);
      if (std::isnan(value)) {
        ASSERT_TRUE(std::isnan(to_double(from_double(value, dtype), dtype))) << bits;
      } else {
        ASSERT_EQ(from_double(value, dtype), bits) << name_of(dtype);
      }
    }
  }
}

TEST(Rounding, HalvesGoToTheEvenNeighbourAndAllElseToTheNearest) {
  for (Dtype dtype : all_dtypes) {
    for (uint16_t bits = 0; to_double(bits + 1, dtype) < infinity; bits++) {
      const double below = to_double(bits, dtype), above = to_double(bits + 1, dtype);
      const double half = (below + above) / 2;
      ASSERT_EQ(from_double(half, dtype), bits % 2 == 0 ? bits : bits + 1);
      ASSERT_EQ(from_double(-half, dtype), 0x8000 | (bits % 2 == 0 ? bits : bits + 1));
      ASSERT_EQ(from_double(std::nextafter(half, 0), dtype), bits);
      ASSERT_EQ(from_double(std::nextafter(half, infinity), dtype), bits + 1);
    }
  }
}

TEST(Rounding, KnownValues) {
  EXPECT_EQ(to_double(0x3c00, Dtype::fp16), 1);
  EXPECT_EQ(to_double(0x7bff, Dtype::fp16), 65504);
  EXPECT_EQ(to_double(0x0001, Dtype::fp16), std::ldexp(1, -24));
  EXPECT_EQ(to_double(0xc000, Dtype::fp16), -2);
  EXPECT_EQ(to_double(0x3f80, Dtype::bf16), 1);
  EXPECT_EQ(to_double(0x0001, Dtype::bf16), std::ldexp(1, -133));
  EXPECT_EQ(from_double(65519, Dtype::fp16), 0x7bff);
  EXPECT_EQ(from_double(65520, Dtype::fp16), 0x7c00);  // the half beyond the largest number is infinity
  EXPECT_EQ(from_double(1e30, Dtype::fp16), 0x7c00);
  EXPECT_EQ(from_double(-infinity, Dtype::bf16), 0xff80);
  EXPECT_EQ(from_double(-0.0, Dtype::fp16), 0x8000);
  EXPECT_EQ(from_double(std::ldexp(1, -25), Dtype::fp16), 0);  // half of the smallest: to even
}

TEST(Rounding, TheStepIsTheDistanceOfNeighbours) {
  for (Dtype dtype : all_dtypes) {
    for (uint16_t bits = 0; to_double(bits + 1, dtype) < infinity; bits += 7) {
      const double value = to_double(bits, dtype);
      ASSERT_EQ(rounding_step(value, dtype), to_double(bits + 1, dtype) - value) << bits;
    }
  }
}

TEST(Compare, MeasuresTheLargestErrorAndTheRootMeanSquare) {
  Problem problem;
  problem.seqlen = 1;
  const std::vector<double> exact(128, 2.0);
  const Reference reference{exact, std::vector<float>(128, 2.5f)};
  std::vector<uint16_t> output(128, from_double(2, Dtype::fp16));
  output[3] = from_double(3, Dtype::fp16);
  const OutputErrors errors = compare(problem, output, reference);
  EXPECT_EQ(errors.max_abs, 1);
  EXPECT_DOUBLE_EQ(errors.rms, std::sqrt(1.0 / 128));
  EXPECT_EQ(errors.ref16_max_abs, 0.5);
  EXPECT_EQ(errors.ref16_rms, 0.5);
  EXPECT_EQ(errors.max_abs_reference, 2);
}

TEST(Compare, ANaNAnywhereMakesTheErrorNaN) {
  Problem problem;
  problem.seqlen = 1;
  const Reference reference{std::vector<double>(128, 0.0), std::vector<float>(128, 0.0f)};
  for (size_t position : {0, 64, 127}) {
    std::vector<uint16_t> output(128, from_double(1, Dtype::fp16));
    output[position] = 0x7e00;
    const OutputErrors errors = compare(problem, output, reference);
    EXPECT_TRUE(std::isnan(errors.max_abs)) << position;
    EXPECT_TRUE(std::isnan(errors.rms)) << position;
  }
}

TEST(Compare, AnOutputOfAnotherSizeIsRefused) {
  const Reference reference{std::vector<double>(128, 0.0), std::vector<float>(128, 0.0f)};
  EXPECT_THROW(compare(Problem{}, std::vector<uint16_t>(127), reference), std::invalid_argument);
}

}  // namespace
}  // namespace flash_steps
