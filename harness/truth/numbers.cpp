#include "harness/truth/numbers.h"

#include <algorithm>
#include <cmath>
#include <limits>

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

}  // namespace flash_steps
