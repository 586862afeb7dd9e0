#include "harness/emulator/words/arithmetic.h"

#include <bit>
#include <cfloat>
#include <cmath>

#include "harness/emulator/words/isa.h"

namespace flash_steps {
namespace {

// Without branches, so that the compiler vectorises the loop around it.
float to_float(uint16_t bits, Dtype dtype) {
  const uint32_t sign = (bits & 0x8000u) << 16;
  if (dtype == Dtype::bf16) return std::bit_cast<float>(uint32_t{bits} << 16);
  const uint32_t magnitude = (bits & 0x7fffu) << 13;  // the exponent is 112 too small
  const float value = std::bit_cast<float>(magnitude) * 0x1p112f;
  const uint32_t special = (bits & 0x7c00u) == 0x7c00u ? 0x7f800000u : 0u;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(value) | special | sign);
}

constexpr uint16_t nan16 = 0x7fff;  // what cvt makes of any NaN, in both types

// Drops the lower bits of a magnitude, rounding to nearest even; a carry into the exponent is right as it is.
constexpr uint32_t round_off(uint32_t bits, int dropped) {
  const uint32_t half = 1u << (dropped - 1);
  return (bits + half - 1 + (bits >> dropped & 1)) >> dropped;
}

uint16_t to_fp16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = bits >> 16 & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return nan16;
  if (magnitude >= std::bit_cast<uint32_t>(65520.0f)) return static_cast<uint16_t>(sign | 0x7c00u);
  if (magnitude < std::bit_cast<uint32_t>(0x1p-14f)) {
    // Subnormal: adding 0.5 leaves the bits from 2⁻²⁴ on, rounded by the adder.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(0.5f)));
  }
  return static_cast<uint16_t>(sign | (round_off(magnitude, 13) - (112u << 10)));
}

uint16_t to_bf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return nan16;
  return static_cast<uint16_t>(round_off(bits & 0x7fffffffu, 16) | (bits >> 16 & 0x8000u));
}

uint32_t join(uint16_t low, uint16_t high) { return low | uint32_t{high} << 16; }

// Columns of a row that are computed together: in as many registers as the instruction set takes.
typedef double Row [[gnu::vector_size(32)]];
constexpr int row_columns = sizeof(Row) / sizeof(double);

// d = c + ab, in double and rounded once. Inlined into a function of each instruction set.
template <int M, int N>
[[gnu::always_inline]] inline void multiply(Dtype dtype, const uint16_t (&a)[M][16], const uint16_t (&b)[16][N],
                                            const float (&c)[M][N], float (&d)[M][N]) {
  double a_values[M][16];
  for (int i = 0; i < M; i++) {
    for (int k = 0; k < 16; k++) a_values[i][k] = to_float(a[i][k], dtype);
  }
  for (int column = 0; column < N; column += row_columns) {
    Row b_values[16];
    for (int k = 0; k < 16; k++) {
      for (int n = 0; n < row_columns; n++) b_values[k][n] = to_float(b[k][column + n], dtype);
    }
    for (int i = 0; i < M; i++) {
      Row sum;
      for (int n = 0; n < row_columns; n++) sum[n] = c[i][column + n];
      for (int k = 0; k < 16; k++) sum += a_values[i][k] * b_values[k];
      for (int n = 0; n < row_columns; n++) d[i][column + n] = static_cast<float>(sum[n]);
    }
  }
}

#if defined(__x86_64__)
// Four products at a time where the processor can, with the bits of the others: it has no FMA to contract them to.
template <int M, int N>
[[gnu::target("avx2")]] void multiply_with_avx2(Dtype dtype, const uint16_t (&a)[M][16], const uint16_t (&b)[16][N],
                                                const float (&c)[M][N], float (&d)[M][N]) {
  multiply(dtype, a, b, c, d);
}
#endif

template <int M, int N>
void multiply_as_fast_as_possible(Dtype dtype, const uint16_t (&a)[M][16], const uint16_t (&b)[16][N],
                                  const float (&c)[M][N], float (&d)[M][N]) {
#if defined(__x86_64__)
  static const bool has_avx2 = __builtin_cpu_supports("avx2");
  if (has_avx2) return multiply_with_avx2(dtype, a, b, c, d);
#endif
  multiply(dtype, a, b, c, d);
}

}  // namespace

inline namespace on_emulator {

float exp2_approx(float x) {
  const float y = std::exp2(x);
  return y < FLT_MIN ? 0.0f : y;  // .ftz
}

template <>
uint32_t pack2<fp16_t>(float low, float high) {
  return join(to_fp16(low), to_fp16(high));
}

template <>
uint32_t pack2<bf16_t>(float low, float high) {
  return join(to_bf16(low), to_bf16(high));
}

template <>
Pair unpack2<fp16_t>(uint32_t packed) {
  return {to_float(static_cast<uint16_t>(packed), Dtype::fp16), to_float(packed >> 16, Dtype::fp16)};
}

template <>
Pair unpack2<bf16_t>(uint32_t packed) {
  return {to_float(static_cast<uint16_t>(packed), Dtype::bf16), to_float(packed >> 16, Dtype::bf16)};
}

uint32_t permute_bytes(uint32_t low, uint32_t high, uint32_t selector) {
  const uint64_t bytes = uint64_t{high} << 32 | low;
  uint32_t permuted = 0;
  for (int i = 0; i < 4; i++) {
    const uint32_t digit = selector >> i * 4 & 0xf;
    const auto byte = static_cast<uint32_t>(bytes >> digit % 8 * 8 & 0xff);
    permuted |= (digit < 8 ? byte : byte / 128 * 0xff) << i * 8;
  }
  return permuted;
}

}  // namespace on_emulator

namespace emulator {

void multiply_accumulate(Dtype dtype, const uint16_t (&a)[16][16], const uint16_t (&b)[16][8], const float (&c)[16][8],
                         float (&d)[16][8]) {
  multiply_as_fast_as_possible(dtype, a, b, c, d);
}

void multiply_accumulate(Dtype dtype, WgmmaOperands& operands) {
  multiply_as_fast_as_possible(dtype, operands.a, operands.b, operands.d, operands.d);
}

}  // namespace emulator
}  // namespace flash_steps
