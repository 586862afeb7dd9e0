// The 16-bit types as numbers.
#pragma once

#include <cstdint>

#include "harness/contract/problem.h"

namespace flash_steps {

/// The value of 16 bits of either type.
double to_double(uint16_t bits, Dtype dtype);

/// Rounds to nearest even, with overflow to infinity.
uint16_t from_double(double value, Dtype dtype);

/// The distance of the two numbers of the type between which `magnitude` lies.
double rounding_step(double magnitude, Dtype dtype);

}  // namespace flash_steps
