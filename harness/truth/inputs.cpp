// The distributions, and what each is good for:
//
//   normal    Q, K and V from N(0, 1): logits from N(0, 1), a soft mixture of all keys. The everyday case.
//   uniform   all from [−1, 1]: logits close to 0, nearly equal weights.
//   large     Q and K from N(0, 20²): logits with a standard deviation of 400. Without the row maximum subtracted, exp
//             overflows fp32; with it, most weights are 0, and a late new maximum shrinks the sum so far to nothing.
//   constant  Q and K are 1: all logits are equal and O is the mean of V, the same in each row. A key that is skipped
//             or counted twice shows.
//   onehot    K is ±1 and each query is 8 times one key: it attends to that key alone, and O is a row of V. A row or
//             column in the wrong place shows.
//   tiny      Q and V are those of normal times 2^-12, K is that of normal times 2^12: the logits of normal. In fp16 a
//             fifth of the elements of Q and V are subnormal, and so is most of O. Where a subnormal operand or result
//             is flushed to 0 it shows. In bf16, which has the exponents of fp32, nothing but the scale of O changes.
//   creeping  K falls from the first key to the last, by 7.5 in log2 units of the logits every 64 keys: a kernel that
//             begins with the last block finds a new maximum in each, which grew by 7.5 since the block of 64 before.
//             For every second 64 queries, which are half as long, that is so with blocks of 128. What tolerates that a
//             maximum lags behind by 8 has it lag as far as it can. Beyond 16,384 keys K falls no further.
//
// dO is from N(0, 1), and uniform where all else is.
#include "harness/truth/inputs.h"

#include <cmath>
#include <functional>
#include <numbers>

#include "harness/truth/numbers.h"

namespace flash_steps {
namespace {

constexpr double large_deviation = 20;  // a logit's deviation is its square: Σ of head_dim products / √head_dim
constexpr double onehot_factor = 8;     // the key's logit is 8·√128 = 90; those of others are from N(0, 8²)
constexpr double far_mean = 4;  // a logit is near ∓ 4·4·√128 = 181, where exp2 without a maximum is 0 or ∞ ...
constexpr double far_deviation = 0.5;  // ... and differs by 0.5·√(2·4²) = 2.8 from key to key, so that weights differ
constexpr double creep = 7.5 / 64 * std::numbers::ln2;  // of the logits from key to key
constexpr double creeping_deviation = 0.05;             // of the queries
constexpr double tiny_factor = 0x1p-12;  // fp16 is subnormal below 2^-14; 2^12 times the largest quantile is 17,700

using Quantile = std::function<double(int i)>;  // of the probability (i + ½) / input_table_size

double uniform_quantile(int i) { return 2 * (i + 0.5) / input_table_size - 1; }

double sign_quantile(int i) { return i < input_table_size / 2 ? -1 : 1; }

std::vector<double> make_normal_quantiles() {
  std::vector<double> quantiles(input_table_size);
  // Newton's method on Φ(x) = p from the middle outwards. Φ is convex left of 0 and each start is right of the root,
  // so that the steps go left without overshooting.
  double x = 0;
  for (int i = input_table_size / 2 - 1; i >= 0; i--) {
    const double p = (i + 0.5) / input_table_size;
    double step = 1;
    while (std::abs(step) > 1e-12) {
      const double cdf = 0.5 * std::erfc(-x / std::numbers::sqrt2);
      const double density = std::exp(-0.5 * x * x) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
      step = (cdf - p) / density;
      x -= step;
    }
    quantiles[i] = x;
    quantiles[input_table_size - 1 - i] = -x;
  }
  return quantiles;
}

double normal_quantile(int i) {
  static const std::vector<double> quantiles = make_normal_quantiles();
  return quantiles[i];
}

Quantile normal_times(double factor) {
  return [factor](int i) { return factor * normal_quantile(i); };
}

// Around a mean that makes all logits of a problem negative or positive.
Quantile far_quantile(double mean) {
  return [mean](int i) { return mean + far_deviation * normal_quantile(i); };
}

// Two halves of a table: around 1 and around 1/2.
double creeping_query(int i) {
  const int half = input_table_size / 2;
  const double length = i < half ? 1 : 0.5;
  return length * (1 + creeping_deviation * normal_quantile(i % half * 2));
}

// A logit is the sum of head_dim such elements, times those of a query, divided by √head_dim.
Quantile creeping_key(int head_dim) {
  return [head_dim](int i) { return -creep * i / 4 / std::sqrt(double(head_dim)); };
}

Quantile quantile(const Problem& problem, Tensor tensor) {
  const InputDistribution inputs = problem.inputs;
  if (inputs == InputDistribution::uniform) return uniform_quantile;
  if (tensor == Tensor::d_o) return normal_quantile;
  if (inputs == InputDistribution::tiny) return normal_times(tensor == Tensor::k ? 1 / tiny_factor : tiny_factor);
  if (tensor == Tensor::v) return normal_quantile;
  switch (inputs) {
    case InputDistribution::large:
      return normal_times(large_deviation);
    case InputDistribution::constant:
      return [](int) { return 1.0; };
    case InputDistribution::onehot:
      return [factor = tensor == Tensor::q ? onehot_factor : 1](int i) { return factor * sign_quantile(i); };
    case InputDistribution::negative:
      return far_quantile(tensor == Tensor::q ? far_mean : -far_mean);
    case InputDistribution::positive:
      return far_quantile(far_mean);
    case InputDistribution::creeping:
      return tensor == Tensor::q ? creeping_query : creeping_key(problem.head_dim);
    default:
      return normal_quantile;
  }
}

}  // namespace

std::vector<uint16_t> input_table(const Problem& problem) {
  std::vector<uint16_t> table;
  table.reserve(4 * input_table_size);
  for (Tensor tensor : {Tensor::q, Tensor::k, Tensor::v, Tensor::d_o}) {
    const Quantile value = quantile(problem, tensor);
    for (int i = 0; i < input_table_size; i++) table.push_back(from_double(value(i), problem.dtype));
  }
  return table;
}

HostInputs make_inputs(const Problem& problem) {
  const std::vector<uint16_t> table = input_table(problem);
  const InputGenerator element{problem, table.data()};
  const auto make = [&](Tensor tensor) {
    std::vector<uint16_t> bits(elements_of(problem, tensor));
    for (size_t i = 0; i < bits.size(); i++) bits[i] = element(tensor, static_cast<int64_t>(i));
    return bits;
  };
  HostInputs inputs{make(Tensor::q), make(Tensor::k), make(Tensor::v)};
  if (problem.pass != Pass::forward) inputs.d_o = make(Tensor::d_o);
  return inputs;
}

}  // namespace flash_steps
