// How much one SM of an architecture does in a cycle, where that differs or bounds a kernel of this project.
#pragma once

#include <string>
#include <vector>

namespace flash_steps {

/// Multiplications and additions of an m16n8k16.
constexpr double product_flop = 2 * 16 * 8 * 16;

/// Of one SM in one cycle. A lane is one thread's part of a warp's instruction: an instruction is 32.
struct Rates {
  std::string arch;       ///< "sm_80"
  std::string gpu;        ///< the GPU that stands for it, as the published columns name it
  int sm_count;           ///< of that GPU
  double product_cycles;  ///< that an mma.sync.m16n8k16 takes, 16-bit operands and sums in fp32; shared among its four
                          ///< tensor cores
  double float_lanes;     ///< FFMA, FADD, FMUL
  double imad_lanes;      ///< IMAD, which takes the place of one of these
  double alu_lanes;       ///< additions of integers, logic, shifts, comparisons, minimum and maximum
  double mufu_lanes;      ///< powers of two, reciprocals
  double wavefronts;      ///< passes through shared memory, 128 bytes at most each
  double tags;            ///< lines of 128 bytes that L1 looks up
  double issued_warps;    ///< instructions of a warp that the schedulers issue

  /// Of the tensor pipe.
  double flop() const { return product_flop / product_cycles; }
};

/// By architecture; rates.cpp names the source of each figure.
const std::vector<Rates>& all_rates();

/// Of an architecture such as sm_80; nullptr if it is not in the table.
const Rates* rates_of(const std::string& arch);

/// "9.0" as sm_90.
std::string arch_of(const std::string& compute_capability);

}  // namespace flash_steps
