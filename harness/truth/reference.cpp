#include "harness/truth/reference.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <thread>

namespace flash_steps {
namespace {

struct Format {
  int mantissa_bits;  // stored ones, without the leading 1
  int exponent_bits;

  int bias() const { return (1 << (exponent_bits - 1)) - 1; }
  int min_exponent() const { return 1 - bias(); }  // of normal numbers; subnormal ones share its rounding step
  int inf_bits() const { return ((1 << exponent_bits) - 1) << mantissa_bits; }
};

Format format_of(Dtype dtype) { return dtype == Dtype::fp16 ? Format{10, 5} : Format{7, 8}; }

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

// Calls work(i) for i in [0, count), spread over threads.
template <typename Work>
void in_parallel(int64_t count, int threads, const Work& work) {
  std::atomic<int64_t> next{0};
  const auto loop = [&] {
    for (int64_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::thread> others;
  for (int t = 1; t < threads; t++) others.emplace_back(loop);
  loop();
  for (std::thread& thread : others) thread.join();
}

}  // namespace

double to_double(uint16_t bits, Dtype dtype) {
  const Format format = format_of(dtype);
  const int mantissa = bits & ((1 << format.mantissa_bits) - 1);
  const int exponent = (bits & format.inf_bits()) >> format.mantissa_bits;
  double magnitude;
  if ((bits & format.inf_bits()) == format.inf_bits()) {
    magnitude = mantissa == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  } else if (exponent == 0) {
    magnitude = std::ldexp(mantissa, format.min_exponent() - format.mantissa_bits);
  } else {
    magnitude = std::ldexp(mantissa + (1 << format.mantissa_bits), exponent - format.bias() - format.mantissa_bits);
  }
  return bits & 0x8000 ? -magnitude : magnitude;
}

uint16_t from_double(double value, Dtype dtype) {
  const Format format = format_of(dtype);
  const int sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::abs(value);
  if (std::isnan(value)) return sign | format.inf_bits() | 1 << (format.mantissa_bits - 1);
  if (magnitude == 0) return sign;
  if (std::isinf(value)) return sign | format.inf_bits();

  const int exponent = std::max(std::ilogb(magnitude), format.min_exponent());
  // In units of the rounding step; nearbyint rounds halves to even. The result counts on through the exponent field:
  // a mantissa that rounds up to the next power of two carries into it, and beyond the largest number lies infinity.
  const double units = std::nearbyint(std::ldexp(magnitude, format.mantissa_bits - exponent));
  const double bits = units + std::ldexp(exponent - format.min_exponent(), format.mantissa_bits);
  return sign | (bits >= format.inf_bits() ? format.inf_bits() : static_cast<int>(bits));
}

double rounding_step(double magnitude, Dtype dtype) {
  const Format format = format_of(dtype);
  const int exponent = magnitude > 0 ? std::max(std::ilogb(magnitude), format.min_exponent()) : format.min_exponent();
  return std::ldexp(1, exponent - format.mantissa_bits);
}

Reference reference_attention(const Problem& p, const HostInputs& inputs, int threads) {
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
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

OutputErrors compare(const Problem& problem, const std::vector<uint16_t>& output, const Reference& reference) {
  if (output.size() != reference.exact.size()) {
    throw std::invalid_argument("the output has " + std::to_string(output.size()) + " elements, the reference " +
                                std::to_string(reference.exact.size()));
  }
  OutputErrors errors;
  errors.reference = "fp64 on the CPU";
  // std::max would drop a NaN on one side or the other; a NaN must stay.
  const auto raise = [](double& max, double value) {
    if (!(value <= max)) max = std::isnan(max) ? max : value;
  };
  double squares = 0;
  double ref16_squares = 0;
  for (size_t i = 0; i < output.size(); i++) {
    const double exact = reference.exact[i];
    const double error = std::abs(to_double(output[i], problem.dtype) - exact);
    const double ref16_error = std::abs(reference.ref16[i] - exact);
    raise(errors.max_abs, error);
    raise(errors.ref16_max_abs, ref16_error);
    raise(errors.max_abs_reference, std::abs(exact));
    squares += error * error;
    ref16_squares += ref16_error * ref16_error;
  }
  errors.rms = std::sqrt(squares / output.size());
  errors.ref16_rms = std::sqrt(ref16_squares / output.size());
  return errors;
}

}  // namespace flash_steps
