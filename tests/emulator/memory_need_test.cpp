// What the emulator says that it needs is what it takes.
#include "harness/emulator/memory_need.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "harness/machine/machine.h"
#include "kernels/isa.cuh"

namespace flash_steps {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_sanitized = true;  // a sanitizer's own memory is part of the peak
#else
constexpr bool is_sanitized = false;
#endif

constexpr int rows = 64;

// Copies its rows of Q to O: touches all of both and computes nothing.
void copy(const fp16_t* q, const fp16_t*, const fp16_t*, fp16_t* o, int seqlen, int heads) {
  const int64_t row_elems = int64_t{heads} * default_head_dim;
  const int64_t first_row = int64_t{blockIdx.z} * seqlen + blockIdx.x * rows + threadIdx.x / 16;
  for (int row = 0; row < rows; row += 2) {
    const int64_t at = (first_row + row) * row_elems + blockIdx.y * default_head_dim + threadIdx.x % 16 * 8;
    st_global_16(o + at, ld_global_16(q + at));
  }
}

int64_t peak_bytes() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6)) * 1024;
  }
  return 0;
}

bool forget_peak() { return static_cast<bool>(std::ofstream("/proc/self/clear_refs") << "5" << std::flush); }

TEST(EmulatorMemory, ThePeakIsWhatIsSaidBefore) {
  if (is_sanitized || !forget_peak()) GTEST_SKIP() << "the peak of this process cannot be taken";
  const int64_t before = peak_bytes();
  const Problem problem{.heads = 64, .seqlen = 4096};
  const Variant variant = flash_steps::variant<copy>(
      {.config = "copy", .tile_rows = rows, .tile_cols = rows, .threads = 32, .smem_bytes = 0});
  {
    const std::unique_ptr<Machine> emulator = make_emulator(1);
    emulator->load(problem, false);
    emulator->launch(variant);
    emulator->output();
  }
  const int64_t taken = peak_bytes() - before;
  const int64_t said = emulator_memory_need(problem, false);
  EXPECT_LE(taken, said + said / 20);
  EXPECT_GE(taken, said / 2) << "so much less would refuse problems that fit";
}

TEST(EmulatorMemory, TheReferenceTakesMore) {
  const Problem problem{.heads = 64, .seqlen = 4096};
  EXPECT_GE(emulator_memory_need(problem, true) - emulator_memory_need(problem, false), problem.elements() * 12);
}

}  // namespace
}  // namespace flash_steps
