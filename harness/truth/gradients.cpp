// Two walks over the scores: by queries, each of which adds up its row of dQ, and by keys, each of which adds up its
// rows of dK and dV. What both need of a query, its L and D, is there before.
#include "harness/truth/gradients.h"

#include <cmath>
#include <utility>

#include "harness/base/parallel.h"
#include "harness/truth/dropout.h"
#include "harness/truth/numbers.h"

namespace flash_steps {
namespace {

// One head of a tensor in fp64, in both orders.
class Matrix {
 public:
  Matrix(const std::vector<uint16_t>& bits, Dtype dtype, int64_t first, int64_t row_stride, int64_t rows, int64_t dims)
      : rows_(rows), by_row_(rows * dims), by_dim_(rows * dims) {
    for (int64_t r = 0; r < rows; r++) {
      for (int64_t d = 0; d < dims; d++) {
        const double value = to_double(bits[first + r * row_stride + d], dtype);
        by_row_[r * dims + d] = by_dim_[d * rows + r] = value;
      }
    }
  }

  const double* row(int64_t row, int64_t dims) const { return by_row_.data() + row * dims; }
  const double* dim(int64_t dim) const { return by_dim_.data() + dim * rows_; }
  int64_t rows() const { return rows_; }

 private:
  int64_t rows_;
  std::vector<double> by_row_;  // [rows, dims]
  std::vector<double> by_dim_;  // [dims, rows]
};

// The products of one row with all rows of a matrix, times `scale`.
std::vector<double> products(const double* row, const Matrix& matrix, int64_t dims, double scale) {
  std::vector<double> sums(matrix.rows());
  for (int64_t d = 0; d < dims; d++) {
    const double factor = row[d] * scale;
    const double* const column = matrix.dim(d);
    for (int64_t i = 0; i < matrix.rows(); i++) sums[i] += factor * column[i];
  }
  return sums;
}

// What is known of a query, exactly or from what was rounded to 16 bits.
struct Query {
  double lse = 0;
  double d = 0;  // Σ dO∘O
};

// What one query and one key make: the weight of V, and the gradient of the logit.
struct Score {
  double p, ds;
};

// `kept` is what dropout multiplies the weight by.
Score exact_score(double s, double dp, double kept, const Query& query) {
  const double p = std::exp(s - query.lse);
  dp *= kept;
  return {p * kept, p * (dp - query.d)};
}

Score rounded_score(double s, double dp, double kept, const Query& query, Dtype dtype) {
  const auto rounded = [&](double x) { return to_double(from_double(x, dtype), dtype); };
  const double p = rounded(std::exp(rounded(s) - query.lse));
  return {rounded(p * kept), rounded(p * (rounded(dp) * kept - query.d))};
}

// A row of a gradient that is being added up.
struct GradientRow {
  std::vector<double> exact, rounded;

  explicit GradientRow(int64_t dims) : exact(dims), rounded(dims) {}

  void add(double weight, double rounded_weight, const double* row) {
    for (size_t d = 0; d < exact.size(); d++) {
      exact[d] += weight * row[d];
      rounded[d] += rounded_weight * row[d];
    }
  }

  void store(Reference& gradient, int64_t first, double scale, Dtype dtype) const {
    for (size_t d = 0; d < exact.size(); d++) {
      gradient.exact[first + d] = exact[d] * scale;
      gradient.ref16[first + d] = static_cast<float>(to_double(from_double(rounded[d] * scale, dtype), dtype));
    }
  }
};

// One head of K and V, with the heads of queries that share it.
class KeyHead {
 public:
  KeyHead(const Problem& p, const HostInputs& inputs, const Reference& forward, int64_t batch, int key_head,
          int threads)
      : p_(p),
        threads_(threads),
        batch_(batch),
        queries_(p.queries_of(batch)),
        keys_(p.keys_of(batch)),
        dims_(p.head_dim),
        scale_(1 / std::sqrt(double(p.head_dim))),
        kv_stride_(int64_t{p.key_heads()} * dims_),
        kv_first_(p.first_key(batch) * kv_stride_ + key_head * dims_),
        k_(inputs.k, p.dtype, kv_first_, kv_stride_, keys_, dims_),
        v_(inputs.v, p.dtype, kv_first_, kv_stride_, keys_, dims_) {
    for (int h = 0; h < p.heads; h++) {
      if (p.key_head(h) == key_head) add_head(inputs, forward, h);
    }
  }

  void walk_queries(Reference& dq) const {
    for (const QueryHead& head : heads_) {
      in_parallel(queries_, threads_, [&](int64_t i) {
        const std::vector<double> s = products(head.q.row(i, dims_), k_, dims_, scale_);
        const std::vector<double> dp = products(head.d_o.row(i, dims_), v_, dims_, 1);
        GradientRow sum(dims_);
        for (int64_t j = 0; j < p_.visible_keys(static_cast<int>(i), batch_); j++) {
          const double kept = kept_factor(head, i, j);
          const Score exact = exact_score(s[j], dp[j], kept, head.exact[i]);
          const Score rounded = rounded_score(s[j], dp[j], kept, head.rounded[i], p_.dtype);
          sum.add(exact.ds, rounded.ds, k_.row(j, dims_));
        }
        sum.store(dq, head.first + i * p_.heads * dims_, scale_, p_.dtype);
      });
    }
  }

  void walk_keys(Reference& dk, Reference& dv) const {
    in_parallel(keys_, threads_, [&](int64_t j) {
      GradientRow dk_sum(dims_), dv_sum(dims_);
      for (const QueryHead& head : heads_) {
        const std::vector<double> s = products(k_.row(j, dims_), head.q, dims_, scale_);
        const std::vector<double> dp = products(v_.row(j, dims_), head.d_o, dims_, 1);
        for (int64_t i = 0; i < queries_; i++) {
          if (p_.visible_keys(static_cast<int>(i), batch_) <= j) continue;
          const double kept = kept_factor(head, i, j);
          const Score exact = exact_score(s[i], dp[i], kept, head.exact[i]);
          const Score rounded = rounded_score(s[i], dp[i], kept, head.rounded[i], p_.dtype);
          dk_sum.add(exact.ds, rounded.ds, head.q.row(i, dims_));
          dv_sum.add(exact.p, rounded.p, head.d_o.row(i, dims_));
        }
      }
      dk_sum.store(dk, kv_first_ + j * kv_stride_, scale_, p_.dtype);
      dv_sum.store(dv, kv_first_ + j * kv_stride_, 1, p_.dtype);
    });
  }

 private:
  struct QueryHead {
    Matrix q, d_o;
    int number;
    int64_t first;  // of its elements in Q
    std::vector<Query> exact, rounded;
  };

  double kept_factor(const QueryHead& head, int64_t i, int64_t j) const {
    if (p_.dropout == 0) return 1;
    const bool kept = keeps_weight(p_, batch_, head.number, static_cast<int>(i), static_cast<int>(j));
    return kept ? p_.dropping().kept_scale : 0;
  }

  void add_head(const HostInputs& inputs, const Reference& forward, int h) {
    const int64_t stride = int64_t{p_.heads} * dims_;
    const int64_t first = p_.first_query(batch_) * stride + h * dims_;
    QueryHead head{{inputs.q, p_.dtype, first, stride, queries_, dims_},
                   {inputs.d_o, p_.dtype, first, stride, queries_, dims_},
                   h,
                   first,
                   std::vector<Query>(queries_),
                   std::vector<Query>(queries_)};
    for (int64_t i = 0; i < queries_; i++) {
      const int64_t row = p_.first_query(batch_) * p_.heads + h * queries_ + i;
      head.exact[i].lse = forward.lse[row];
      head.rounded[i].lse = forward.lse16[row];
      for (int64_t d = 0; d < dims_; d++) {
        const double d_o = head.d_o.row(i, dims_)[d];
        head.exact[i].d += d_o * forward.exact[first + i * stride + d];
        head.rounded[i].d += d_o * forward.ref16[first + i * stride + d];
      }
    }
    heads_.push_back(std::move(head));
  }

  const Problem& p_;
  int threads_;
  int batch_;
  int64_t queries_, keys_;
  int64_t dims_;
  double scale_;
  int64_t kv_stride_;
  int64_t kv_first_;
  Matrix k_, v_;
  std::vector<QueryHead> heads_;
};

Reference empty_reference(int64_t elements) { return {std::vector<double>(elements), std::vector<float>(elements)}; }

}  // namespace

Gradients reference_gradients(const Problem& problem, const HostInputs& inputs, const Reference& forward, int threads) {
  Gradients gradients{empty_reference(problem.elements()), empty_reference(problem.kv_elements()),
                      empty_reference(problem.kv_elements())};
  for (int b = 0; b < problem.batch; b++) {
    for (int h = 0; h < problem.key_heads(); h++) {
      const KeyHead key_head(problem, inputs, forward, b, h, threads);
      key_head.walk_queries(gradients.dq);
      key_head.walk_keys(gradients.dk, gradients.dv);
    }
  }
  return gradients;
}

ForwardOutputs forward_outputs(const Problem& problem, const Reference& forward) {
  ForwardOutputs outputs{{}, {forward.lse.begin(), forward.lse.end()}};
  outputs.o.reserve(forward.exact.size());
  for (const double value : forward.exact) outputs.o.push_back(from_double(value, problem.dtype));
  return outputs;
}

}  // namespace flash_steps
