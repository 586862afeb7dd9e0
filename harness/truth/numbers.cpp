#include "harness/truth/numbers.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
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

// 2 to a power at which a double is normal. What std::ldexp and std::ilogb do in a call each, and the references of the
// tests ask for by the million.
double power_of_2(int exponent) { return std::bit_cast<double>(uint64_t(exponent + 1023) << 52); }

// Of a positive number; -1023 of a subnormal one.
int exponent_of(double magnitude) { return static_cast<int>(std::bit_cast<uint64_t>(magnitude) >> 52) - 1023; }

}  // namespace

double to_double(uint16_t bits, Dtype dtype) {
  const Format format = format_of(dtype);
  const int mantissa = bits & ((1 << format.mantissa_bits) - 1);
  const int exponent = (bits & format.inf_bits()) >> format.mantissa_bits;
  double magnitude;
  if ((bits & format.inf_bits()) == format.inf_bits()) {
    magnitude = mantissa == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  } else if (exponent == 0) {
    magnitude = mantissa * power_of_2(format.min_exponent() - format.mantissa_bits);
  } else {
    magnitude = (mantissa + (1 << format.mantissa_bits)) * power_of_2(exponent - format.bias() - format.mantissa_bits);
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

  const int exponent = std::max(exponent_of(magnitude), format.min_exponent());
  // In units of the rounding step; nearbyint rounds halves to even. The result counts on through the exponent field:
  // a mantissa that rounds up to the next power of two carries into it, and beyond the largest number lies infinity.
  const double units = std::nearbyint(magnitude * power_of_2(format.mantissa_bits - exponent));
  const double bits = units + (exponent - format.min_exponent()) * power_of_2(format.mantissa_bits);
  return sign | (bits >= format.inf_bits() ? format.inf_bits() : static_cast<int>(bits));
}

double rounding_step(double magnitude, Dtype dtype) {
  const Format format = format_of(dtype);
  const int exponent = magnitude > 0 ? std::max(exponent_of(magnitude), format.min_exponent()) : format.min_exponent();
  return power_of_2(exponent - format.mantissa_bits);
}

}  // namespace flash_steps
