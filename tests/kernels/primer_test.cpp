// What the pages of the primer derive, counted: memory access cost, sectors a request, wavefronts of a tile.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/contract/registry.h"
#include "harness/machine/machine.h"
#include "tests/support/all_configs.h"

namespace flash_steps {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint64_t head_dim = 128;
constexpr uint64_t element_bytes = 2;

Observation observe(const std::string& name, int seqlen, const std::string& config = "") {
  for (const Variant& variant : find_kernel(name)->emulator()) {
    if (variant.dtype != Dtype::fp16 || (!config.empty() && variant.tile.config != config)) continue;
    const auto emulator = make_emulator();
    emulator->load({.batch = 1, .heads = 1, .seqlen = seqlen}, false);
    emulator->launch(variant);
    EXPECT_THAT(emulator->observer()->observation().hazards, IsEmpty()) << name;
    return emulator->observer()->observation();
  }
  throw std::runtime_error(name + " has no config " + config);
}

uint64_t distinct_bytes(const Counters& counters) { return counters.hbm_bytes_read + counters.hbm_bytes_written; }

// What a CTA does for one of its b tiles and once besides, from launches of one and of two tiles a CTA: a head of b·64
// rows has b CTAs, or one that goes b times over all rows.
struct Wavefronts {
  uint64_t of_tile, once;
  bool operator==(const Wavefronts&) const = default;
};

Wavefronts wavefronts(const std::string& name) {
  const uint64_t one = observe(name, 64).counters.shared_wavefronts();    // of_tile + once
  const uint64_t four = observe(name, 128).counters.shared_wavefronts();  // 4·of_tile + 2·once
  return {(four - 2 * one) / 2, one - (four - 2 * one) / 2};
}

TEST(Primer, StandardAttentionTouchesFourTimesNSquaredAndFourTimesNByDElements) {
  for (const uint64_t n : {128, 256}) {
    const Observation seen = observe("p01_standard", static_cast<int>(n));
    EXPECT_EQ(distinct_bytes(seen.counters), (4 * n * n + 4 * n * head_dim) * element_bytes) << n;
  }
}

TEST(Primer, EachLaunchOfStandardAttentionTouchesWhatItReadsAndWrites) {
  constexpr uint64_t n = 128;
  const Observation seen = observe("p01_standard", n);
  std::vector<std::string> functions;
  Counters sum;
  for (const LaunchCounters& launch : seen.launches) {
    functions.push_back(launch.function);
    sum += launch.counters;
  }
  ASSERT_THAT(functions, ElementsAre("scores", "softmax", "output"));
  EXPECT_EQ(sum, seen.counters);
  const auto expect = [&](int launch, uint64_t read, uint64_t written) {
    EXPECT_EQ(seen.launches[launch].counters.hbm_bytes_read, read * element_bytes) << functions[launch];
    EXPECT_EQ(seen.launches[launch].counters.hbm_bytes_written, written * element_bytes) << functions[launch];
  };
  expect(0, 2 * n * head_dim, n * n);
  expect(1, n * n, n * n);
  expect(2, n * n + n * head_dim, n * head_dim);
}

TEST(Primer, WithAnOnlineSoftmaxFourTimesNByDElementsAreTouched) {
  constexpr uint64_t n = 128;
  for (const Kernel* kernel : of_chapter("primer")) {
    if (kernel->name == "p01_standard") continue;
    // O, maximum and sum in fp32, from tile to tile.
    const uint64_t workspace = kernel->name == "p03_fa1" ? 2 * 4 * n * (head_dim + 2) : 0;
    const Observation seen = observe(kernel->name, n);
    EXPECT_EQ(distinct_bytes(seen.counters), 4 * n * head_dim * element_bytes + workspace) << kernel->name;
    EXPECT_THAT(seen.launches, IsEmpty()) << kernel->name;
  }
}

TEST(Primer, WhereAThreadReadsItsOwnRowARequestTouchesASectorALane) {
  const auto sectors_read = [](const std::string& name, uint64_t n) {
    return observe(name, static_cast<int>(n)).counters.global_load.sectors;
  };
  constexpr uint64_t n = 128;
  EXPECT_EQ(sectors_read("p01_standard", n), 70 * n * n);
  EXPECT_EQ(sectors_read("p02_online", n), 68 * n * n);
  EXPECT_EQ(sectors_read("p04_row_tile", n), 2 * n * n + 64 * n);
}

TEST(Primer, WhereLanesReadARowAnEighthOfTheSectorsIsTouched) {
  constexpr uint64_t n = 128;
  const Counters before = observe("p04_row_tile", n).counters;
  for (const Kernel* kernel : of_chapter("primer")) {
    if (kernel->number < find_kernel("p05_coalesced")->number) continue;
    const Counters counters = observe(kernel->name, n).counters;
    EXPECT_EQ(counters.global_load.sectors, n * n / 4 + 8 * n) << kernel->name;
    EXPECT_EQ(counters.global_load.sectors, before.global_load.sectors / 8) << kernel->name;
  }
}

TEST(Primer, WavefrontsOfATileAreThoseOfThePages) {
  EXPECT_EQ(wavefronts("p03_fa1"), (Wavefronts{557056, 8192}));
  EXPECT_EQ(wavefronts("p04_row_tile"), (Wavefronts{569344, 12288}));
  EXPECT_EQ(wavefronts("p05_coalesced"), (Wavefronts{561408, 12544}));
  EXPECT_EQ(wavefronts("p06_warp_rows"), (Wavefronts{283008, 128}));
  EXPECT_EQ(wavefronts("p07_skew"), (Wavefronts{29056, 128}));
  EXPECT_EQ(wavefronts("p08_wmma"), (Wavefronts{18624, 128}));
  EXPECT_EQ(wavefronts("p09_mma"), (Wavefronts{11968, 128}));
  EXPECT_EQ(wavefronts("p10_o_registers"), (Wavefronts{10688, 128}));
  EXPECT_EQ(wavefronts("p11_s_registers"), (Wavefronts{9472, 128}));
  EXPECT_EQ(wavefronts("p12_q_registers"), (Wavefronts{8448, 2304}));
}

TEST(Primer, SkewedRowsHaveNoConflictsAndNothingElseChanges) {
  const Counters before = observe("p06_warp_rows", 64).counters;
  const Counters after = observe("p07_skew", 64).counters;
  EXPECT_GT(before.shared_load.bank_conflicts(), 0u);
  EXPECT_EQ(after.shared_wavefronts(), after.shared_ideal_wavefronts());
  Counters without_conflicts = before;
  without_conflicts.shared_load.wavefronts = before.shared_load.ideal_wavefronts;
  EXPECT_EQ(after, without_conflicts);
}

TEST(Primer, WmmaWithOneWarpACtaReadsKeysAndValuesFourTimesAsOften) {
  NEEDS_ALL_CONFIGS();
  const auto sectors = [](const std::string& config) {
    return observe("p08_wmma", 64, config).counters.global_load.sectors;
  };
  constexpr uint64_t tile_sectors = 64 * head_dim * element_bytes / 32;
  EXPECT_EQ(sectors("64x64"), 3 * tile_sectors);
  EXPECT_EQ(sectors("16x64"), (1 + 4 * 2) * tile_sectors);
}

// All that is left to do is cp.async: what goes through registers is stored by a word of its own.
TEST(Primer, TheLastRungCountsWhatTheFirstStepCounts) {
  const Counters last = observe("p12_q_registers", 128).counters;
  const Counters first = observe("01_base", 128).counters;
  EXPECT_EQ(last.shared_wavefronts(), first.shared_wavefronts());
  EXPECT_EQ(last.ldmatrix, first.ldmatrix);
  EXPECT_EQ(last.mma_instructions, first.mma_instructions);
  EXPECT_EQ(last.global_load.sectors, first.cp_async.sectors);
  EXPECT_EQ(last.global_load.instructions, first.cp_async.instructions);
  EXPECT_EQ(last.barrier_instructions, first.barrier_instructions);
}

// Whoever takes a query tile a CTA, but leaves O of its rows in a workspace that others write too, is told.
TEST(Primer, TwoCtasOfAHeadThatShareRowsInAWorkspaceAreAHazard) {
  for (const Variant& variant : find_kernel("p03_fa1")->emulator()) {
    Variant shared = variant;
    static decltype(Variant::plan) plan;
    plan = variant.plan;
    shared.plan = [](const Problem& problem, const Tensors& tensors) {
      std::vector<Launch> launches = plan(problem, tensors);
      launches.front().grid.x = 2;
      return launches;
    };
    const auto emulator = make_emulator();
    emulator->load({.batch = 1, .heads = 1, .seqlen = 64, .dtype = variant.dtype}, false);
    emulator->launch(shared);
    EXPECT_THAT(emulator->observer()->observation().hazards,
                testing::Contains(testing::HasSubstr("of CTA (0, 0, 0) writes too")));
  }
}

}  // namespace
}  // namespace flash_steps
