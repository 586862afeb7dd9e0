// Every registered kernel is right on the emulator, without hazards: a kernel that is added is tested as it is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <utility>
#include <vector>

#include "harness/contract/coverage.h"
#include "harness/contract/problem.h"
#include "harness/contract/registry.h"
#include "harness/machine/machine.h"
#include "harness/truth/judge.h"
#include "kernels/isa.cuh"
#include "tests/support/far_launch.h"

namespace flash_steps {
namespace {

using testing::IsEmpty;

struct Case {
  const Kernel* kernel;
  const Variant* variant;
  Problem problem;
};

// Without it GoogleTest prints the bytes of pointers, which differ from run to run.
void PrintTo(const Case& c, std::ostream* out) { *out << c.kernel->name << " " << c.variant->tile.config; }

// `tiles` counts steps of seqlen. Several heads and sequences show wrong strides; they are cheap where the sequence is
// short.
Case make_case(const Kernel& kernel, const Variant& variant, int tiles, InputDistribution inputs) {
  Problem problem;
  problem.batch = tiles == 1 ? 2 : 1;
  problem.heads = variant.tile.heads != 0 ? variant.tile.heads : (tiles == 1 ? 3 : 1);
  problem.seqlen = tiles * seqlen_step(variant.tile);
  problem.head_dim = variant.coverage.head_dims.front();
  problem.dtype = variant.dtype;
  problem.inputs = inputs;
  problem.pass = variant.coverage.passes.front();
  return {&kernel, &variant, problem};
}

void add_all_distributions(std::vector<Case>& cases, const Kernel& kernel, const Variant& variant, int tiles) {
  for (InputDistribution inputs : all_distributions) cases.push_back(make_case(kernel, variant, tiles, inputs));
}

// A kernel's first config goes through all distributions, with an odd number of tiles in one type and an even one in
// the other, and to the longest sequence; where the heads are fixed, that is 16 of them, its config for one head does.
// Its other configs are the same code with other tiles: each sees the distributions that are the hardest to get right,
// and in one type a sequence of three tiles.
// So do kernels without tensor cores, which take the emulator long. Those for many heads at a time take it longest, and
// see the hardest.
std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const Kernel& kernel : kernels()) {
    for (const Variant& variant : kernel.emulator()) {
      const bool first = variant.tile.config == kernel.emulator().front().tile.config;
      const int tiles = variant.dtype == Dtype::fp16 ? 3 : 2;
      if (variant.tile.heads == 1) {
        add_all_distributions(cases, kernel, variant, tiles);
      } else if (first && variant.tile.heads == 0 && !variant.tile.scalar) {
        add_all_distributions(cases, kernel, variant, tiles);
        cases.push_back(make_case(kernel, variant, 1, InputDistribution::onehot));
        cases.push_back(make_case(kernel, variant, 5, InputDistribution::normal));
      } else {
        cases.push_back(make_case(kernel, variant, 1, InputDistribution::onehot));
        if (first || variant.tile.heads == 0) {
          cases.push_back(make_case(kernel, variant, 2, InputDistribution::large));
        }
        if (variant.tile.heads == 0 && variant.dtype == Dtype::fp16) {
          cases.push_back(make_case(kernel, variant, 3, InputDistribution::normal));
        }
      }
    }
  }
  return cases;
}

std::string name_of_case(const testing::TestParamInfo<Case>& info) {
  const auto& [kernel, variant, problem] = info.param;
  std::string name = kernel->name + "_" + variant->tile.config + "_" + name_of(problem.dtype) + "_seqlen" +
                     std::to_string(problem.seqlen) + "_" + name_of(problem.inputs);
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
  return name;
}

class Kernels : public testing::TestWithParam<Case> {};

// Its configs share many a problem, of which the reference takes as long as a launch.
Machine& emulator_with(const Problem& problem) {
  static std::vector<std::pair<Problem, std::unique_ptr<Machine>>> loaded;
  const auto found = std::ranges::find(loaded, problem, [](const auto& entry) { return entry.first; });
  if (found != loaded.end()) return *found->second;
  loaded.emplace_back(problem, make_emulator());
  loaded.back().second->load(problem, true);
  return *loaded.back().second;
}

TEST_P(Kernels, AreRightWithoutHazards) {
  const auto& [kernel, variant, problem] = GetParam();
  Machine& emulator = emulator_with(problem);
  ASSERT_EQ(emulator.refusal(*variant, problem), std::nullopt);
  const OutputErrors errors = emulator.check(*variant);
  const Judgement verdict = judge(errors, problem.dtype);
  EXPECT_TRUE(verdict.right) << "largest error " << errors.max_abs << " (tolerance " << verdict.tolerance << "), rms "
                             << errors.rms << " (tolerance " << verdict.rms_tolerance << ")";
  EXPECT_THAT(emulator.observer()->observation().hazards, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Registered, Kernels, testing::ValuesIn(all_cases()), name_of_case);

TEST(Registered, IsEveryKernelInBothTypesAndNumberedUpwardsInItsChapter) {
  for (const Chapter& chapter : chapters()) {
    const std::vector<const Kernel*> steps = of_chapter(chapter.name);
    for (size_t i = 0; i < steps.size(); i++) {
      const Kernel& kernel = *steps[i];
      if (i > 0) {
        EXPECT_GT(kernel.number, steps[i - 1]->number) << kernel.name;
      }
      EXPECT_FALSE(kernel.summary().empty()) << kernel.name;
      for (Dtype dtype : all_dtypes) {
        const auto is_of_type = [&](const Variant& variant) { return variant.dtype == dtype; };
        EXPECT_TRUE(std::any_of(kernel.emulator().begin(), kernel.emulator().end(), is_of_type)) << kernel.name;
      }
    }
  }
  ASSERT_EQ(of_chapter(sixteen).size(), 16u);
  for (int i = 0; i < 16; i++) EXPECT_EQ(of_chapter(sixteen)[i]->number, i + 1);
}

TEST(Registered, ConfigsOfAKernelHaveDifferentNames) {
  for (const Kernel& kernel : kernels()) {
    for (const Variant& a : kernel.emulator()) {
      const auto same = [&](const Variant& b) { return a.dtype == b.dtype && a.tile.config == b.tile.config; };
      EXPECT_EQ(std::count_if(kernel.emulator().begin(), kernel.emulator().end(), same), 1) << kernel.name;
    }
  }
}

#ifdef FLASH_STEPS_CUDA
TEST(Registered, WhatTheGpuHasTheEmulatorHas) {
  for (const Kernel& kernel : kernels()) {
    for (const Variant& gpu : kernel.gpu()) {
      const auto same = [&](const Variant& other) {
        return gpu.dtype == other.dtype && gpu.tile.config == other.tile.config &&
               gpu.tile.tile_rows == other.tile.tile_rows && gpu.tile.tile_cols == other.tile.tile_cols &&
               gpu.tile.threads == other.tile.threads && gpu.tile.smem_bytes == other.tile.smem_bytes;
      };
      EXPECT_TRUE(std::any_of(kernel.emulator().begin(), kernel.emulator().end(), same)) << kernel.name;
    }
  }
}
#endif

// Whoever copies the tensors' pointers or the number of heads and sequences into 32 bits too few finds out here.
TEST(Registered, OffsetsBeyond31BitsAreRight) {
  int asked = 0;
  for (const Kernel& kernel : kernels()) {
    for (const Variant& variant : kernel.emulator()) {
      if (variant.dtype != Dtype::fp16 || !covers_far(variant)) continue;
      const auto result = run_far(variant);
      if (!result) GTEST_SKIP() << "this machine does not lend the addresses of tensors of 4 GiB";
      EXPECT_THAT(result->hazards, IsEmpty()) << kernel.name;
      EXPECT_TRUE(judge(result->errors, variant.dtype).right) << kernel.name << " at " << describe_far(variant);
      asked++;
      break;  // the other configs compute their offsets in the same way
    }
  }
  EXPECT_GE(asked, static_cast<int>(of_chapter(sixteen).size()));
}

// The default config of each kernel, in a grid of more CTAs than the most host threads.
class Order : public testing::TestWithParam<const Kernel*> {
 protected:
  struct Outcome {
    std::vector<uint16_t> output;
    Observation observation;
  };

  Outcome run(int threads, uint64_t lane_order_seed) const {
    const Variant& variant = GetParam()->emulator().front();
    const int tiles = variant.tile.scalar ? 1 : 2;
    Problem problem = make_case(*GetParam(), variant, tiles, InputDistribution::normal).problem;
    if (variant.tile.heads == 0) problem.heads = 2;
    problem.batch = 8 / (tiles * std::min(problem.heads, 4));
    const auto emulator = make_emulator(threads, lane_order_seed);
    emulator->load(problem, false);
    emulator->launch(variant);
    return {emulator->output(), emulator->observer()->observation()};
  }

  // Counters by line, as text.
  static std::vector<std::string> lines(const Outcome& outcome) {
    std::vector<std::string> texts;
    for (const LineCounters& line : outcome.observation.lines) {
      texts.push_back(line.file + ":" + std::to_string(line.line) + " " + line.word + " " +
                      std::to_string(line.instructions) + " " + std::to_string(line.wavefronts) + " " +
                      std::to_string(line.ideal_wavefronts) + " " + std::to_string(line.sectors));
    }
    return texts;
  }
};

TEST_P(Order, NeitherThatOfTheLanesNorTheNumberOfThreadsChangesABitOrACount) {
  const Outcome in_order = run(1, 0);
  EXPECT_THAT(in_order.observation.hazards, IsEmpty());
  std::vector<std::pair<int, uint64_t>> others = {{7, 18446744073709551615u}};
  if (!GetParam()->emulator().front().tile.scalar) others.emplace_back(1, 1);
  for (const auto& [threads, seed] : others) {
    SCOPED_TRACE(std::to_string(threads) + " threads, lane order " + std::to_string(seed));
    const Outcome other = run(threads, seed);
    EXPECT_TRUE(other.output == in_order.output);
    EXPECT_EQ(other.observation.counters, in_order.observation.counters);
    EXPECT_EQ(lines(other), lines(in_order));
    EXPECT_THAT(other.observation.hazards, IsEmpty());
  }
}

std::vector<const Kernel*> all_kernels() {
  std::vector<const Kernel*> pointers;
  for (const Kernel& kernel : kernels()) pointers.push_back(&kernel);
  return pointers;
}

INSTANTIATE_TEST_SUITE_P(Registered, Order, testing::ValuesIn(all_kernels()),
                         [](const auto& info) { return info.param->name; });

TEST(Emulator, RepeatsAreBitEqual) {
  const Kernel& kernel = kernels().front();
  const Variant& variant = kernel.emulator().front();
  const auto emulator = make_emulator(2);
  emulator->load(make_case(kernel, variant, 1, InputDistribution::normal).problem, false);
  EXPECT_EQ(emulator->differing_repeats(variant, 3), 0);
}

// Adds a number that no two launches have in common, as a race would.
TEST(Emulator, RepeatsThatDifferAreCounted) {
  static int launches;
  launches = 0;
  Variant variant = kernels().front().emulator().front();
  variant.plan = [](const Problem&, const Tensors& tensors) {
    Launch launch{.function = "attention", .grid = {}, .threads = 32, .smem_bytes = 0};
    launch.call = [o = static_cast<Chunk*>(tensors.o)] {
      if (threadIdx.x == 0) launches++;
      const uint32_t word = launches == 3 ? 1 : 0;
      st_global_16(o + threadIdx.x, {{word, 0, 0, 0}});
    };
    return std::vector{launch};
  };
  const auto emulator = make_emulator(1);
  emulator->load({.batch = 1, .heads = 1, .seqlen = variant.tile.tile_rows, .dtype = variant.dtype}, false);
  EXPECT_EQ(emulator->differing_repeats(variant, 5), 1);
}

}  // namespace
}  // namespace flash_steps
