#include "harness/model/rates.h"

#include <algorithm>

namespace flash_steps {

// Sources.
//
// sm_count: NVIDIA A100 Tensor Core GPU Architecture (108); NVIDIA Ampere GA102 GPU Architecture, for the GeForce RTX
// 3090 (82); NVIDIA H100 Tensor Core GPU Architecture, for the SXM5 module (132).
//
// product_cycles: 4096 FLOP over what the tensor cores of an SM do in a cycle for fp16 with sums in fp32, which bf16
// shares; that is their peak over SMs and boost clock:
// - A100: 312 TFLOP/s / (108 · 1410 MHz) = 2048 (its white paper).
// - RTX 3090: 71 TFLOP/s / (82 · 1695 MHz) = 512, half of what sums in fp16 reach (the GA102 white paper).
// - H100: 989 TFLOP/s / (132 · 1830 MHz) = 4096 (its white paper), which wgmma alone reaches. Independent mma.sync
//   in a loop, timed with clock64() on an SM of this architecture, take 6.1 cycles of one of the four tensor cores
//   each, with two or three warps on each. Taken is 6, two thirds of wgmma's rate. The ceiling that every timing run
//   measures (device.mma_ceiling_tflops in the results) agrees: 654 TFLOP/s on an H100 whose clock is held down.
//
// float_lanes, imad_lanes, alu_lanes, mufu_lanes: CUDA C++ Best Practices Guide (before: CUDA C++ Programming Guide),
// table "Throughput of Native Arithmetic Instructions", columns 8.0, 8.6 and 9.0, its rows for 32-bit floating-point
// add, multiply, multiply-add; 32-bit integer multiply, multiply-add; 32-bit integer add, compare, minimum, maximum,
// shift and logic; 32-bit floating-point reciprocal and base-2 exponential.
//
// wavefronts: Nsight Compute, Profiling Guide, "Quantities": one a cycle. Shared memory has 32 banks of 4 bytes, each
// of which serves one word a cycle (CUDA C++ Programming Guide, "Shared Memory").
//
// tags: an engineer of NVIDIA's in its developer forum, thread "Pascal L1 cache": from Volta on the tag stage looks up
// four a cycle.
//
// issued_warps: four schedulers, an instruction a cycle each (CUDA C++ Programming Guide, "Compute Capabilities", the
// sections on the architecture of 8.x and 9.0).
const std::vector<Rates>& all_rates() {
  static const std::vector<Rates> rates{
      {.arch = "sm_80",
       .gpu = "A100",
       .sm_count = 108,
       .product_cycles = 2,
       .float_lanes = 64,
       .imad_lanes = 64,
       .alu_lanes = 64,
       .mufu_lanes = 16,
       .wavefronts = 1,
       .tags = 4,
       .issued_warps = 4},
      {.arch = "sm_86",
       .gpu = "RTX 3090",
       .sm_count = 82,
       .product_cycles = 8,
       .float_lanes = 128,
       .imad_lanes = 64,
       .alu_lanes = 64,
       .mufu_lanes = 16,
       .wavefronts = 1,
       .tags = 4,
       .issued_warps = 4},
      {.arch = "sm_90",
       .gpu = "H100",
       .sm_count = 132,
       .product_cycles = 1.5,
       .float_lanes = 128,
       .imad_lanes = 64,
       .alu_lanes = 64,
       .mufu_lanes = 16,
       .wavefronts = 1,
       .tags = 4,
       .issued_warps = 4},
  };
  return rates;
}

const Rates* rates_of(const std::string& arch) {
  const std::vector<Rates>& rates = all_rates();
  const auto found = std::find_if(rates.begin(), rates.end(), [&](const Rates& r) { return r.arch == arch; });
  return found == rates.end() ? nullptr : &*found;
}

std::string arch_of(const std::string& compute_capability) {
  std::string arch = "sm_";
  std::copy_if(compute_capability.begin(), compute_capability.end(), std::back_inserter(arch),
               [](char c) { return c != '.'; });
  return arch;
}

}  // namespace flash_steps
