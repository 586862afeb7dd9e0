#include "harness/truth/reference.h"

#include <algorithm>
#include <cmath>

#include "harness/base/parallel.h"
#include "harness/truth/numbers.h"

namespace flash_steps {
namespace {

// One (batch, head) in fp64, contiguous: what the rows of one head read again and again.
struct Head {
  std::vector<double> k_transposed;  // [head_dim, seqlen]
  std::vector<double> v;             // [seqlen, head_dim]
};

Head load_head(const Problem& p, const HostInputs& inputs, int64_t head_offset) {
  const int64_t row_stride = int64_t{p.heads} * p.head_dim;
  Head head{std::vector<double>(int64_t{p.seqlen} * p.head_dim), std::vector<double>(int64_t{p.seqlen} * p.head_dim)};
  for (int64_t j = 0; j < p.seqlen; j++) {
    for (int64_t d = 0; d < p.head_dim; d++) {
      const int64_t element = head_offset + j * row_stride + d;
      head.k_transposed[d * p.seqlen + j] = to_double(inputs.k[element], p.dtype);
      head.v[j * p.head_dim + d] = to_double(inputs.v[element], p.dtype);
    }
  }
  return head;
}

// S = q·Kᵀ / √head_dim for one query.
void logits_of_row(const Problem& p, const uint16_t* q, const Head& head, std::vector<double>& s) {
  std::fill(s.begin(), s.end(), 0.0);
  for (int64_t d = 0; d < p.head_dim; d++) {
    const double q_d = to_double(q[d], p.dtype) / std::sqrt(double(p.head_dim));
    const double* k_d = &head.k_transposed[d * p.seqlen];
    for (int64_t j = 0; j < p.seqlen; j++) s[j] += q_d * k_d[j];
  }
}

// P = softmax(S), in place.
void softmax(std::vector<double>& s) {
  const double max = *std::max_element(s.begin(), s.end());
  double sum = 0;
  for (double& x : s) sum += x = std::exp(x - max);
  for (double& x : s) x /= sum;
}

// O = P·V for one query.
void weigh_values(const Problem& p, const std::vector<double>& weights, const Head& head, std::vector<double>& o) {
  std::fill(o.begin(), o.end(), 0.0);
  for (int64_t j = 0; j < p.seqlen; j++) {
    const double* v_j = &head.v[j * p.head_dim];
    for (int64_t d = 0; d < p.head_dim; d++) o[d] += weights[j] * v_j[d];
  }
}

void round_all(std::vector<double>& values, Dtype dtype) {
  for (double& x : values) x = to_double(from_double(x, dtype), dtype);
}

}  // namespace

Reference reference_attention(const Problem& p, const HostInputs& inputs, int threads) {
  Reference reference{std::vector<double>(p.elements()), std::vector<float>(p.elements())};
  const int64_t row_stride = int64_t{p.heads} * p.head_dim;

  for (int64_t b = 0; b < p.batch; b++) {
    for (int64_t h = 0; h < p.heads; h++) {
      const int64_t head_offset = b * p.seqlen * row_stride + h * p.head_dim;
      const Head head = load_head(p, inputs, head_offset);
      in_parallel(p.seqlen, threads, [&](int64_t row) {
        const int64_t row_offset = head_offset + row * row_stride;
        std::vector<double> s(p.seqlen), o(p.head_dim);
        logits_of_row(p, &inputs.q[row_offset], head, s);
        std::vector<double> s16 = s;

        softmax(s);
        weigh_values(p, s, head, o);
        std::copy(o.begin(), o.end(), reference.exact.begin() + row_offset);

        round_all(s16, p.dtype);
        softmax(s16);
        round_all(s16, p.dtype);
        weigh_values(p, s16, head, o);
        round_all(o, p.dtype);
        std::copy(o.begin(), o.end(), reference.ref16.begin() + row_offset);
      });
    }
  }
  return reference;
}

}  // namespace flash_steps
