// The gradients: against finite differences of a formula of their own, closed cases, and what ref16 stands on.
#include "harness/truth/gradients.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "harness/truth/dropout.h"
#include "harness/truth/judge.h"
#include "harness/truth/numbers.h"

namespace flash_steps {
namespace {

using Values = std::vector<long double>;

struct Leaves {
  Values q, k, v;
};

Values values_of(const std::vector<uint16_t>& bits, Dtype dtype) {
  Values values;
  for (const uint16_t b : bits) values.push_back(to_double(b, dtype));
  return values;
}

// Σ O∘dO, by whole rows and without a maximum: good for small logits.
long double objective(const Problem& p, const Leaves& x, const Values& d_o) {
  const int group = p.heads / p.key_heads();
  const std::vector<int> queries = query_starts(p);
  const std::vector<int> keys = key_starts(p);
  const auto q_at = [&](int b, int n, int h) { return ((int64_t{queries[b]} + n) * p.heads + h) * p.head_dim; };
  const auto kv_at = [&](int b, int n, int h) {
    return ((int64_t{keys[b]} + n) * p.key_heads() + h / group) * p.head_dim;
  };
  long double total = 0;
  for (int b = 0; b < p.batch; b++) {
    const int rows = queries[b + 1] - queries[b];
    const int cols = keys[b + 1] - keys[b];
    for (int h = 0; h < p.heads; h++) {
      for (int i = 0; i < rows; i++) {
        long double numerator = 0;
        long double denominator = 0;
        for (int j = 0; j < cols; j++) {
          if (p.mask == Mask::causal && cols - 1 - j < rows - 1 - i) continue;  // counted from the ends
          long double s = 0;
          long double dp = 0;
          for (int d = 0; d < p.head_dim; d++) {
            s += x.q[q_at(b, i, h) + d] * x.k[kv_at(b, j, h) + d];
            dp += d_o[q_at(b, i, h) + d] * x.v[kv_at(b, j, h) + d];
          }
          const long double weight = std::exp(s / std::sqrt(static_cast<long double>(p.head_dim)));
          const bool is_kept = p.dropout == 0 || keeps_weight(p, b, h, i, j);
          numerator += is_kept ? weight * dp / (1 - p.dropout) : 0;
          denominator += weight;
        }
        if (denominator != 0) total += numerator / denominator;
      }
    }
  }
  return total;
}

Problem small_problem() {
  return {.heads = 4, .seqlen = 6, .head_dim = 16, .seqlen_kv = 5, .kv_heads = 2, .pass = Pass::backward};
}

struct Truth {
  HostInputs inputs;
  Reference forward;
  Gradients gradients;
};

Truth truth_of(const Problem& problem, int threads = 0) {
  const HostInputs inputs = make_inputs(problem);
  const Reference forward = reference_attention(problem, inputs, threads);
  return {inputs, forward, reference_gradients(problem, inputs, forward, threads)};
}

void expect_finite_differences(const Problem& problem) {
  SCOPED_TRACE(describe(problem));
  const Truth truth = truth_of(problem);
  Leaves leaves{values_of(truth.inputs.q, problem.dtype), values_of(truth.inputs.k, problem.dtype),
                values_of(truth.inputs.v, problem.dtype)};
  const Values d_o = values_of(truth.inputs.d_o, problem.dtype);
  const auto check = [&](const char* name, Values Leaves::*leaf, const Reference& gradient) {
    constexpr long double step = 1e-5L;
    ASSERT_EQ(gradient.exact.size(), (leaves.*leaf).size());
    for (size_t i = 0; i < gradient.exact.size(); i++) {
      long double& x = (leaves.*leaf)[i];
      const long double middle = x;
      x = middle + step;
      const long double above = objective(problem, leaves, d_o);
      x = middle - step;
      const long double below = objective(problem, leaves, d_o);
      x = middle;
      ASSERT_NEAR(gradient.exact[i], static_cast<double>((above - below) / (2 * step)), 2e-9) << name << " " << i;
    }
  };
  check("dq", &Leaves::q, truth.gradients.dq);
  check("dk", &Leaves::k, truth.gradients.dk);
  check("dv", &Leaves::v, truth.gradients.dv);
}

TEST(Gradients, EqualFiniteDifferences) {
  expect_finite_differences({.heads = 2, .seqlen = 7, .head_dim = 16, .pass = Pass::backward});
  expect_finite_differences({.batch = 2, .seqlen = 5, .head_dim = 32, .dtype = Dtype::bf16, .pass = Pass::backward});
}

// With a mask, groups, and other numbers of keys; with fewer of them the first queries attend to none.
TEST(Gradients, EqualFiniteDifferencesForTheVariants) {
  for (const Mask mask : all_masks) {
    for (const int keys : {3, 9}) {
      Problem problem = small_problem();
      problem.mask = mask;
      problem.seqlen_kv = keys;
      expect_finite_differences(problem);
    }
  }
}

TEST(Gradients, EqualFiniteDifferencesOfPackedSequences) {
  Problem problem = small_problem();
  problem.batch = 3;
  problem.padding = 3;
  problem.mask = Mask::causal;
  expect_finite_differences(problem);
}

// Half of the weights: the inverse of what is kept is a number of fp32.
TEST(Gradients, EqualFiniteDifferencesWithDropout) {
  Problem problem = small_problem();
  problem.batch = 2;
  problem.dropout = 0.5;
  expect_finite_differences(problem);
  problem.mask = Mask::causal;
  expect_finite_differences(problem);
}

TEST(Gradients, OfAQueryThatAttendsToNoKeyAreZero) {
  Problem problem = small_problem();
  problem.mask = Mask::causal;
  problem.seqlen_kv = 2;
  const Truth truth = truth_of(problem);
  const int64_t of_row = int64_t{problem.heads} * problem.head_dim;
  for (int64_t i = 0; i < 4 * of_row; i++) {
    ASSERT_EQ(truth.gradients.dq.exact[i], 0);
    ASSERT_EQ(truth.gradients.dq.ref16[i], 0);
  }
  EXPECT_EQ(truth.forward.lse[0], std::numeric_limits<double>::infinity());
  EXPECT_NE(truth.gradients.dq.exact[5 * of_row], 0);
}

// Each query attends to one key alone: nothing that it could say about which one changes O.
TEST(Gradients, OnehotQueriesLeaveNoGradientButThatOfV) {
  Problem problem{.heads = 2, .seqlen = 64, .inputs = InputDistribution::onehot, .pass = Pass::backward};
  const Truth truth = truth_of(problem);
  for (const double x : truth.gradients.dq.exact) ASSERT_NEAR(x, 0, 1e-12);
  for (const double x : truth.gradients.dk.exact) ASSERT_NEAR(x, 0, 1e-12);
  double largest = 0;
  for (const double x : truth.gradients.dv.exact) largest = std::max(largest, std::abs(x));
  EXPECT_GT(largest, 1);
}

TEST(Gradients, Ref16IsCloseToTheExactOneAndRounded) {
  for (const Dtype dtype : all_dtypes) {
    const Truth truth = truth_of({.seqlen = 96, .dtype = dtype, .mask = Mask::causal, .pass = Pass::backward});
    for (const Reference* gradient : {&truth.gradients.dq, &truth.gradients.dk, &truth.gradients.dv}) {
      double largest = 0;
      double largest_error = 0;
      for (size_t i = 0; i < gradient->exact.size(); i++) {
        const double value = gradient->ref16[i];
        ASSERT_EQ(value, to_double(from_double(value, dtype), dtype));
        largest = std::max(largest, std::abs(gradient->exact[i]));
        largest_error = std::max(largest_error, std::abs(value - gradient->exact[i]));
      }
      EXPECT_GT(largest_error, 0);
      EXPECT_LT(largest_error, largest * (dtype == Dtype::fp16 ? 0.004 : 0.03));
    }
  }
}

TEST(Gradients, DoNotDependOnTheNumberOfThreads) {
  const Problem problem{.heads = 2, .seqlen = 40, .kv_heads = 1, .pass = Pass::backward};
  const Truth one = truth_of(problem, 1);
  const Truth five = truth_of(problem, 5);
  EXPECT_EQ(one.gradients.dq.exact, five.gradients.dq.exact);
  EXPECT_EQ(one.gradients.dk.exact, five.gradients.dk.exact);
  EXPECT_EQ(one.gradients.dv.ref16, five.gradients.dv.ref16);
}

TEST(Lse, IsTheLogarithmOfTheSumOfExponentials) {
  const Problem problem{.heads = 2, .seqlen = 24, .head_dim = 32, .kv_heads = 1, .mask = Mask::causal};
  const HostInputs inputs = make_inputs(problem);
  const Reference forward = reference_attention(problem, inputs);
  const Values q = values_of(inputs.q, problem.dtype);
  const Values k = values_of(inputs.k, problem.dtype);
  for (int h = 0; h < 2; h++) {
    for (int i = 0; i < problem.seqlen; i++) {
      long double sum = 0;
      for (int j = 0; j <= i; j++) {
        long double s = 0;
        for (int d = 0; d < 32; d++) s += q[(i * 2 + h) * 32 + d] * k[j * 32 + d];
        sum += std::exp(s / std::sqrt(32.0L));
      }
      ASSERT_NEAR(forward.lse[h * problem.seqlen + i], static_cast<double>(std::log(sum)), 1e-13);
    }
  }
}

TEST(Judge, OfGradientsToleratesThriceRef16) {
  OutputErrors errors;
  errors.output = Output::dk;
  errors.ref16_max_abs = 0.01;
  errors.ref16_rms = 0.001;
  errors.max_abs_reference = 1;
  EXPECT_DOUBLE_EQ(judge(errors, Dtype::fp16).tolerance, 0.03 + 0x1p-10);
  EXPECT_DOUBLE_EQ(judge(errors, Dtype::fp16).rms_tolerance, 0.0015);
}

TEST(Judge, OfSeveralTensorsNamesTheOneThatIsWrong) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<OutputErrors> each(3);
  each[0].output = Output::dq;
  each[1].output = Output::dk;
  each[2].output = Output::dv;
  for (OutputErrors& errors : each) errors.max_abs_reference = 1;
  each[0].max_abs = 0x1p-11;
  EXPECT_EQ(worst_of(each, Dtype::fp16).output, Output::dq);
  EXPECT_EQ(worst_of(each, Dtype::fp16).each.size(), 3u);
  each[1].rms = 1;
  EXPECT_EQ(worst_of(each, Dtype::fp16).output, Output::dk);
  each[2].max_abs = nan;
  EXPECT_EQ(worst_of(each, Dtype::fp16).output, Output::dv);
  EXPECT_FALSE(judge(worst_of(each, Dtype::fp16), Dtype::fp16).right);
}

}  // namespace
}  // namespace flash_steps
