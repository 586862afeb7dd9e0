// What a machine is, and what a kernel takes of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "harness/contract/kernel.h"

namespace flash_steps {

struct DeviceFacts {
  Target backend = Target::emulator;
  std::string name;
  std::string compute_capability;  ///< "9.0"; empty on the emulator
  int sm_count = 0;                ///< on the emulator: host threads that CTAs are spread over
  int64_t l2_bytes = 0;
  int64_t memory_bytes = 0;
  int smem_bytes_per_cta = 0;  ///< most dynamic shared memory that a CTA can have
  double sm_clock_max_mhz = 0;
  double memory_clock_max_mhz = 0;
  std::string driver;  ///< empty on the emulator
  /// What mma.sync alone reaches; on a GPU, once something was timed.
  std::optional<double> mma_ceiling_tflops = std::nullopt;
};

/// What a launch of a variant takes; of several launches the most of each, and the fewest CTAs.
struct Resources {
  int registers = 0;    ///< of one thread; 0 on the emulator
  int smem_bytes = 0;   ///< static and dynamic shared memory of one CTA
  int spill_bytes = 0;  ///< local memory of one thread
  int ctas_per_sm = 0;  ///< 0 on the emulator
};

/// What a run holds of the device's memory at its fullest. The reference, what else checks an output and what
/// overwrites L2 are the harness's own and are not counted; nor are code, nor what CUDA and cuBLAS take once for
/// themselves.
struct MemoryUse {
  int64_t tensor_bytes = 0;  ///< Q, K, V and O, L where that is written; of a backward pass L, dO, dQ, dK and dV
  int64_t workspace_bytes =
      0;  ///< what the computation allocates besides: S of standard attention, what a kernel asks for

  int64_t peak_bytes() const { return tensor_bytes + workspace_bytes; }
  bool operator==(const MemoryUse&) const = default;
};

/// Of L, in fp32; 0 for a variant that does not write it.
inline int64_t lse_bytes(const Variant& variant, const Problem& problem) {
  return variant.writes(Output::lse) ? problem.rows() * int64_t{sizeof(float)} : 0;
}

}  // namespace flash_steps
