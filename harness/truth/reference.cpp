#include "harness/truth/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "harness/base/parallel.h"
#include "harness/truth/dropout.h"
#include "harness/truth/numbers.h"

namespace flash_steps {
namespace {

// One (sequence, head of K and V) in fp64, contiguous: what the rows of its heads read again and again.
struct Head {
  int64_t keys;
  std::vector<double> k_transposed;  // [head_dim, keys]
  std::vector<double> v;             // [keys, head_dim]
};

Head load_head(const Problem& p, const HostInputs& inputs, int sequence, int64_t key_head) {
  const int64_t first_key = p.first_key(sequence);
  const int64_t keys = p.keys_of(sequence);
  Head head{keys, std::vector<double>(keys * p.head_dim), std::vector<double>(keys * p.head_dim)};
  for (int64_t j = 0; j < keys; j++) {
    for (int64_t d = 0; d < p.head_dim; d++) {
      const int64_t element = ((first_key + j) * p.key_heads() + key_head) * p.head_dim + d;
      head.k_transposed[d * keys + j] = to_double(inputs.k[element], p.dtype);
      head.v[j * p.head_dim + d] = to_double(inputs.v[element], p.dtype);
    }
  }
  return head;
}

// S = q·Kᵀ / √head_dim for one query, of as many keys as `s` has room for.
void logits_of_row(const Problem& p, const uint16_t* q, const Head& head, std::vector<double>& s) {
  std::fill(s.begin(), s.end(), 0.0);
  for (int64_t d = 0; d < p.head_dim; d++) {
    const double q_d = to_double(q[d], p.dtype) / std::sqrt(double(p.head_dim));
    const double* k_d = head.k_transposed.data() + d * head.keys;
    for (size_t j = 0; j < s.size(); j++) s[j] += q_d * k_d[j];
  }
}

// P = softmax(S), in place; returns the logarithm of the sum of exp(S), which of no key is the one that makes any
// weight computed from it 0.
double softmax(std::vector<double>& s) {
  if (s.empty()) return std::numeric_limits<double>::infinity();
  const double max = *std::max_element(s.begin(), s.end());
  double sum = 0;
  for (double& x : s) sum += x = std::exp(x - max);
  for (double& x : s) x /= sum;
  return max + std::log(sum);
}

struct Row {
  int sequence, head, query;
};

void drop(const Problem& p, const Row& row, std::vector<double>& weights) {
  if (p.dropout == 0) return;
  for (size_t j = 0; j < weights.size(); j++) {
    const bool kept = keeps_weight(p, row.sequence, row.head, row.query, static_cast<int>(j));
    weights[j] = kept ? weights[j] / (1 - p.dropout) : 0;
  }
}

// O = P·V for one query; 0 if it attends to no key.
void weigh_values(const Problem& p, const std::vector<double>& weights, const Head& head, std::vector<double>& o) {
  std::fill(o.begin(), o.end(), 0.0);
  for (size_t j = 0; j < weights.size(); j++) {
    const double* v_j = head.v.data() + j * p.head_dim;
    for (int64_t d = 0; d < p.head_dim; d++) o[d] += weights[j] * v_j[d];
  }
}

void round_all(std::vector<double>& values, Dtype dtype) {
  for (double& x : values) x = to_double(from_double(x, dtype), dtype);
}

}  // namespace

Reference reference_attention(const Problem& p, const HostInputs& inputs, int threads) {
  Reference reference{std::vector<double>(p.elements()), std::vector<float>(p.elements()),
                      std::vector<double>(p.rows()), std::vector<double>(p.rows())};
  const int64_t row_stride = int64_t{p.heads} * p.head_dim;

  for (int b = 0; b < p.batch; b++) {
    for (int h = 0; h < p.heads; h++) {
      const Head head = load_head(p, inputs, b, p.key_head(h));
      const int queries = p.queries_of(b);
      const int64_t first_query = p.first_query(b);
      in_parallel(queries, threads, [&](int64_t row) {
        const int query = static_cast<int>(row);
        const int64_t row_offset = (first_query + query) * row_stride + int64_t{h} * p.head_dim;
        std::vector<double> s(p.visible_keys(query, b)), o(p.head_dim);
        logits_of_row(p, &inputs.q[row_offset], head, s);
        std::vector<double> s16 = s;

        const int64_t row_of_all = first_query * p.heads + int64_t{h} * queries + query;
        reference.lse[row_of_all] = softmax(s);
        drop(p, {b, h, query}, s);
        weigh_values(p, s, head, o);
        std::copy(o.begin(), o.end(), reference.exact.begin() + row_offset);

        round_all(s16, p.dtype);
        reference.lse16[row_of_all] = softmax(s16);
        round_all(s16, p.dtype);
        drop(p, {b, h, query}, s16);
        weigh_values(p, s16, head, o);
        round_all(o, p.dtype);
        std::copy(o.begin(), o.end(), reference.ref16.begin() + row_offset);
      });
    }
  }
  return reference;
}

}  // namespace flash_steps
