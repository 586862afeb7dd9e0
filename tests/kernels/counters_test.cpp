// The counters of every one of the sixteen in every config are what the tile sizes say; and those of the first three
// are what Nsight Compute read from an H100.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "harness/contract/coverage.h"
#include "harness/contract/problem.h"
#include "harness/contract/registry.h"
#include "harness/machine/machine.h"
#include "harness/truth/judge.h"
#include "tests/support/tile_arithmetic.h"

namespace flash_steps {
namespace {

struct CountedCase {
  std::string kernel;
  std::string config;
  int batch;
  int heads;
  int seqlen;
  Dtype dtype;
};

// Without it GoogleTest prints the bytes of pointers, which differ from run to run.
void PrintTo(const CountedCase& c, std::ostream* out) { *out << c.kernel << " " << c.config; }

std::string name(const testing::TestParamInfo<CountedCase>& info) {
  const CountedCase& c = info.param;
  return "K" + c.kernel + "_" + c.config + "_b" + std::to_string(c.batch) + "_h" + std::to_string(c.heads) + "_n" +
         std::to_string(c.seqlen) + "_" + name_of(c.dtype);
}

struct Chosen {
  const Kernel& kernel;
  const Variant& variant;
};

Chosen find(const CountedCase& c) {
  for (const Kernel& kernel : kernels()) {
    if (kernel.name != c.kernel) continue;
    for (const Variant& variant : kernel.emulator()) {
      if (variant.dtype == c.dtype && variant.tile.config == c.config) return {kernel, variant};
    }
  }
  throw std::runtime_error(c.kernel + " " + c.config + " is not registered");
}

Observation observe(const CountedCase& c, int host_threads, uint64_t lane_order_seed = 0) {
  const auto emulator = make_emulator(host_threads, lane_order_seed);
  emulator->load({.batch = c.batch, .heads = c.heads, .seqlen = c.seqlen, .dtype = c.dtype}, false);
  emulator->launch(find(c).variant);
  return emulator->observer()->observation();
}

// What follows from the tile and its number of warps, which share the query rows among them.
Counters closed_formulas(const CountedCase& c) {
  constexpr uint64_t head_dim = 128;
  constexpr uint64_t lanes = 32;
  constexpr uint64_t fragment = 16 * 16;        // elements that an ldmatrix.x4 loads
  constexpr uint64_t chunk_bytes = lanes * 16;  // that an instruction moves, 16 bytes a lane
  constexpr uint64_t word_bytes = lanes * 4;    // the same, 4 bytes a lane
  constexpr uint64_t chunk_phases = 4;          // of a 16-byte access
  constexpr uint64_t sector_bytes = 32;         // of global memory
  const auto [kernel, variant] = find(c);
  const uint64_t conflicts = kernel.number == 1 ? 8 : 1;  // eight rows, 256 bytes apart, or swizzled
  const TileShape& tile = variant.tile;
  const uint64_t rows = tile.tile_rows;
  const uint64_t cols = tile.tile_cols;
  const uint64_t warps = tile.threads / lanes;
  const uint64_t blocks = c.seqlen / cols;
  const uint64_t ctas = c.seqlen / rows * c.heads * c.batch;
  const bool q_in_registers = keeps_q_in_registers(kernel, tile);

  Counters counters;
  // A warp loads its own rows of Q, and in each block all of K and V.
  const uint64_t q_loads = rows * head_dim / fragment * (q_in_registers ? 1 : blocks);
  const uint64_t kv_loads = warps * blocks * 2 * (cols * head_dim / fragment);
  counters.ldmatrix.instructions = ctas * (q_loads + kv_loads);
  counters.ldmatrix.ideal_wavefronts = counters.ldmatrix.instructions * chunk_phases;
  counters.ldmatrix.wavefronts = counters.ldmatrix.ideal_wavefronts * conflicts;
  // Q once, K and V once a block, and no sector more than what their bytes fill.
  const uint64_t copied_bytes = (rows + blocks * 2 * cols) * head_dim * 2;
  counters.cp_async.instructions = ctas * copied_bytes / chunk_bytes;
  counters.cp_async.wavefronts = counters.cp_async.ideal_wavefronts = counters.cp_async.instructions * chunk_phases;
  counters.cp_async.sectors = ctas * copied_bytes / sector_bytes;
  // O on its way out.
  const uint64_t o_bytes = ctas * rows * head_dim * 2;
  counters.shared_store.instructions = o_bytes / word_bytes;
  counters.shared_store.ideal_wavefronts = counters.shared_store.instructions;
  counters.shared_store.wavefronts = counters.shared_store.instructions * conflicts;
  counters.shared_load.instructions = o_bytes / chunk_bytes;
  counters.shared_load.wavefronts = counters.shared_load.ideal_wavefronts =
      counters.shared_load.instructions * chunk_phases;
  counters.global_store.instructions = o_bytes / chunk_bytes;
  counters.global_store.sectors = o_bytes / sector_bytes;
  // Two products of a tile a block, 16×8×16 an instruction.
  counters.mma_instructions = ctas * blocks * 2 * (rows * cols * head_dim) / (16 * 8 * 16);
  // A lane holds two of sixteen rows, and goes over a quad in two steps: for the maximum in each block, for the sum at
  // the end.
  counters.shuffle_instructions = ctas * (rows / 16) * 2 * 2 * (blocks + 1);
  // For K and for V in each block, and for Q if it does not come with the first K.
  counters.barrier_instructions = ctas * warps * (blocks * 2 + (q_in_registers ? 1 : 0));
  counters.hbm_bytes_read = 3 * o_bytes;
  counters.hbm_bytes_written = o_bytes;
  return counters;
}

class KernelCounters : public testing::TestWithParam<CountedCase> {};

TEST_P(KernelCounters, EqualTheClosedFormulasAndHaveNoBankConflictsFromTheSecondKernelOn) {
  const Observation observation = observe(GetParam(), 0);
  EXPECT_TRUE(observation.hazards.empty()) << observation.hazards[0];
  const Counters expected = closed_formulas(GetParam());
  const Counters& counted = observation.counters;
  EXPECT_EQ(counted.ldmatrix, expected.ldmatrix);
  EXPECT_EQ(counted.cp_async, expected.cp_async);
  EXPECT_EQ(counted.shared_load, expected.shared_load);
  EXPECT_EQ(counted.shared_store, expected.shared_store);
  EXPECT_EQ(counted.global_load, expected.global_load);
  EXPECT_EQ(counted.global_store, expected.global_store);
  EXPECT_EQ(counted.mma_instructions, expected.mma_instructions);
  EXPECT_EQ(counted.shuffle_instructions, expected.shuffle_instructions);
  EXPECT_EQ(counted.barrier_instructions, expected.barrier_instructions);
  EXPECT_EQ(counted.hbm_bytes_read, expected.hbm_bytes_read);
  EXPECT_EQ(counted.hbm_bytes_written, expected.hbm_bytes_written);
  if (find(GetParam()).kernel.number > 1) {
    for (const AccessCounters& access :
         {counted.ldmatrix, counted.cp_async, counted.shared_load, counted.shared_store}) {
      EXPECT_EQ(access.bank_conflicts(), 0u);
    }
  }
}

// Every config in both types: one block, several, and several heads and sequences where a config allows them.
std::vector<CountedCase> cases() {
  std::vector<CountedCase> list;
  for (const Kernel* step : of_chapter(sixteen)) {
    const Kernel& kernel = *step;
    for (const Variant& variant : kernel.emulator()) {
      const TileShape& tile = variant.tile;
      const int step = seqlen_step(tile);
      const auto add = [&](int batch, int heads, int steps) {
        list.push_back({kernel.name, tile.config, batch, heads, steps * step, variant.dtype});
      };
      if (tile.heads != 0) {
        add(1, tile.heads, 1);
        add(1, tile.heads, 2);
      } else {
        add(1, 1, 1);
        add(2, 3, 1);
        add(1, 1, 4);
      }
    }
  }
  return list;
}

INSTANTIATE_TEST_SUITE_P(Registered, KernelCounters, testing::ValuesIn(cases()), name);

// One column of what ncu read from an H100: batch 1, heads 1, head_dim 128, tile 64×64, 4 warps.
struct Measured {
  uint64_t ldmatrix_instructions, ldmatrix_wavefronts, ldmatrix_conflicts;
  uint64_t cp_async_instructions, cp_async_wavefronts, cp_async_sectors;
  uint64_t shared_store_wavefronts, shared_store_conflicts;
  uint64_t shared_load_wavefronts;
  uint64_t global_store_sectors;
  uint64_t mma_instructions;
  uint64_t all_wavefronts, all_ideal_wavefronts;
};

constexpr Measured unswizzled_128{1088, 34816, 30464, 320, 1280, 5120, 2048, 1792, 256, 1024, 2048, 38400, 6144};
constexpr Measured swizzled_128{1088, 4352, 0, 320, 1280, 5120, 256, 0, 256, 1024, 2048, 6144, 6144};
constexpr Measured swizzled_512{16640, 66560, 0, 4352, 17408, 69632, 1024, 0, 1024, 4096, 32768, 86016, 86016};

void expect_measured(const std::string& kernel, int seqlen, const Measured& h100) {
  SCOPED_TRACE(kernel + " at seqlen " + std::to_string(seqlen));
  const Counters counted = observe({kernel, "64x64", 1, 1, seqlen, Dtype::fp16}, 0).counters;
  EXPECT_EQ(counted.ldmatrix.instructions, h100.ldmatrix_instructions);
  EXPECT_EQ(counted.ldmatrix.wavefronts, h100.ldmatrix_wavefronts);
  EXPECT_EQ(counted.ldmatrix.bank_conflicts(), h100.ldmatrix_conflicts);
  EXPECT_EQ(counted.cp_async.instructions, h100.cp_async_instructions);
  EXPECT_EQ(counted.cp_async.wavefronts, h100.cp_async_wavefronts);
  EXPECT_EQ(counted.cp_async.sectors, h100.cp_async_sectors);
  EXPECT_EQ(counted.shared_store.wavefronts, h100.shared_store_wavefronts);
  EXPECT_EQ(counted.shared_store.bank_conflicts(), h100.shared_store_conflicts);
  EXPECT_EQ(counted.shared_load.wavefronts, h100.shared_load_wavefronts);
  EXPECT_EQ(counted.global_store.sectors, h100.global_store_sectors);
  EXPECT_EQ(counted.mma_instructions, h100.mma_instructions);
  EXPECT_EQ(counted.shared_wavefronts(), h100.all_wavefronts);
  EXPECT_EQ(counted.shared_ideal_wavefronts(), h100.all_ideal_wavefronts);
}

TEST(LaunchCounters, EqualWhatNsightComputeReadFromAnH100) {
  expect_measured("01_base", 128, unswizzled_128);
  for (const char* kernel : {"02_swizzling", "03_eager_loads"}) {
    expect_measured(kernel, 128, swizzled_128);
    expect_measured(kernel, 512, swizzled_512);
  }
}

TEST(LaunchCounters, OfALineAddUpToThoseOfTheLaunch) {
  const Observation observation = observe({"01_base", "64x64", 1, 1, 128, Dtype::fp16}, 2);
  AccessCounters ldmatrix;
  uint64_t sectors = 0;
  for (const LineCounters& line : observation.lines) {
    EXPECT_TRUE(line.file.ends_with("01_base.cu")) << line.file;
    if (line.word.starts_with("ldmatrix_x4")) {
      ldmatrix += {line.instructions, line.wavefronts, line.ideal_wavefronts, line.sectors};
    }
    sectors += line.sectors;
  }
  EXPECT_EQ(ldmatrix, observation.counters.ldmatrix);
  EXPECT_EQ(sectors, observation.counters.cp_async.sectors + observation.counters.global_store.sectors);
}

TEST(LaunchCounters, AndOutputAreTheSameInAnyOrderOnAnyNumberOfHostThreads) {
  const Problem problem{.batch = 1, .heads = 2, .seqlen = 192, .dtype = Dtype::bf16};
  const auto run = [&](const Variant& variant, int threads, uint64_t seed) {
    const auto emulator = make_emulator(threads, seed);
    emulator->load(problem, false);
    emulator->launch(variant);
    EXPECT_TRUE(emulator->observer()->observation().hazards.empty());
    return std::pair(emulator->observer()->observation().counters, emulator->output());
  };
  for (const char* kernel : {"01_base", "03_eager_loads"}) {
    const Variant& variant = find({kernel, "64x64", 1, 1, 64, Dtype::bf16}).variant;
    const auto one = run(variant, 1, 0);
    EXPECT_EQ(std::count(one.second.begin(), one.second.end(), 0xffff), 0) << "every element of O is stored";
    EXPECT_EQ(run(variant, 4, 0), one);
    EXPECT_EQ(run(variant, 1, 77), one);
    EXPECT_EQ(run(variant, 3, 78), one);
  }
}

}  // namespace
}  // namespace flash_steps
