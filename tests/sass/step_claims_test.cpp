// What each step claims of its machine code holds in the built runner, for each architecture that it was built for.
// Counts that follow from the tile are equal to it; what a compiler decides is compared with the step before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "harness/base/error.h"
#include "harness/contract/module.h"
#include "harness/contract/registry.h"
#include "harness/measure/plan.h"
#include "harness/sass/built.h"
#include "harness/sass/counts.h"
#include "harness/sass/cuobjdump.h"
#include "tests/sass/has_cuda.h"
#include "tests/support/tile_arithmetic.h"

namespace flash_steps {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

const Kernel& kernel_numbered(int number) { return *of_chapter(sixteen).at(number - 1); }

int warp_rows(const TileShape& tile) { return tile.tile_rows / (tile.threads / 32); }

bool is_peeled(const Kernel& kernel) { return kernel.number >= 10; }

class MachineCodeOf : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!has_cuda) GTEST_SKIP() << "this build has no machine code for a GPU";
    try {
      const std::vector<DeviceFunction> functions =
          Cuobjdump().functions(module_file(of_chapter(sixteen).front()->name, Target::gpu));
      const auto is_here = [&](const DeviceFunction& function) { return function.arch == GetParam(); };
      if (std::none_of(functions.begin(), functions.end(), is_here)) {
        GTEST_SKIP() << "this build has no code for " << GetParam();
      }
    } catch (const MachineError& error) {
      GTEST_SKIP() << error.what();
    }
  }

  // Of each the first config, or all.
  std::vector<MachineCodeRow> rows(const std::vector<const Kernel*>& chosen, bool all_configs = false) {
    std::vector<MachineCodeRow> all;
    for (const Kernel* kernel : chosen) {
      const std::vector<MachineCodeRow>& more = rows_of(*kernel, all_configs);
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }

  // Disassembled once for all tests.
  static const std::vector<MachineCodeRow>& rows_of(const Kernel& kernel, bool all_configs) {
    static std::map<std::tuple<std::string, std::string, bool>, std::vector<MachineCodeRow>> read;
    const auto [rows, is_new] = read.try_emplace({kernel.name, GetParam(), all_configs});
    if (is_new) {
      std::vector<const Variant*> variants = chosen_variants(kernel, Target::gpu, Dtype::fp16, "");
      if (!all_configs) variants.resize(1);
      rows->second = read_machine_code(kernel, variants, {GetParam()});
    }
    return rows->second;
  }

  // In the config that is built in every build.
  MachineCode code(int number) { return rows({&kernel_numbered(number)}).front().code; }
};

INSTANTIATE_TEST_SUITE_P(Gpu, MachineCodeOf, testing::Values("sm_80", "sm_86", "sm_89", "sm_90"),
                         [](const auto& info) { return std::string(info.param); });

int addressing(const InstructionCounts& counts) {
  return counts.at("IADD3") + counts.at("LOP3") + counts.at("SHF") + counts.at("LEA");
}

TEST_P(MachineCodeOf, EveryKernelHasTheProductsLoadsCopiesAndExponentialsOfItsTile) {
  for (const auto& [kernel, variant, function, code] : rows(of_chapter(sixteen))) {
    SCOPED_TRACE(kernel->name);
    const TileShape& tile = variant->tile;
    const int blocks = is_peeled(*kernel) ? 2 : 1;  // how often the code of a block is there
    const int row_frags = warp_rows(tile) / 16;
    const int col_frags = tile.tile_cols / 16;
    constexpr int dim_frags = default_head_dim / 16;
    EXPECT_EQ(code.main_loop.at("HMMA"), 4 * row_frags * col_frags * dim_frags);
    EXPECT_EQ(code.whole_kernel.at("HMMA"), blocks * code.main_loop.at("HMMA"));

    const int q_loads = row_frags * dim_frags;
    const bool q_once = keeps_q_in_registers(*kernel, tile);
    EXPECT_EQ(code.main_loop.at("LDSM"), 2 * col_frags * dim_frags + (q_once ? 0 : q_loads));
    EXPECT_EQ(code.whole_kernel.at("LDSM"), blocks * code.main_loop.at("LDSM") + (q_once ? q_loads : 0));

    const int copied_rows = tile.threads / 16;  // by one instruction of each warp
    const int k_copies = tile.tile_cols / copied_rows;
    const int first_copies = tile.tile_rows / copied_rows + (kernel->number >= 3 ? k_copies : 0);
    EXPECT_EQ(code.main_loop.at("LDGSTS"), 2 * k_copies);
    EXPECT_EQ(code.whole_kernel.at("LDGSTS"), first_copies + blocks * 2 * k_copies);

    const int elements_per_lane = warp_rows(tile) * tile.tile_cols / 32;
    const int rows_per_lane = row_frags * 2;
    EXPECT_EQ(code.main_loop.at("MUFU"), elements_per_lane + rows_per_lane);
  }
}

TEST_P(MachineCodeOf, Step06FusesTheScaleOfEachElementIntoItsExponent) {
  const MachineCode before = code(5);
  const MachineCode after = code(6);
  constexpr int elements_per_lane = 16 * 64 / 32;
  EXPECT_LT(before.main_loop.at("FFMA"), elements_per_lane);
  EXPECT_GE(after.main_loop.at("FFMA"), elements_per_lane);
  EXPECT_LE(after.main_loop.at("FMUL"), before.main_loop.at("FMUL") - elements_per_lane / 2);
  EXPECT_LT(after.main_loop.at("total"), before.main_loop.at("total"));
}

TEST_P(MachineCodeOf, Step08LeavesLittleAddressingInTheLoop) {
  EXPECT_LT(2 * addressing(code(8).main_loop), addressing(code(7).main_loop));
}

TEST_P(MachineCodeOf, Step09CopiesFewRegistersInTheLoop) {
  EXPECT_LT(2 * code(9).main_loop.at("MOV"), code(8).main_loop.at("MOV"));
}

TEST_P(MachineCodeOf, Step10ZeroesNoRegistersForProducts) {
  EXPECT_GE(code(9).whole_kernel.at("CS2R"), 100);
  EXPECT_LE(code(10).whole_kernel.at("CS2R"), 4);
}

TEST_P(MachineCodeOf, Step11LeavesLittleAddressingOutsideOfTheLoop) {
  const MachineCode before = code(10);
  const MachineCode after = code(11);
  EXPECT_LT(after.whole_kernel.at("LOP3"), before.whole_kernel.at("LOP3"));
  EXPECT_LT(after.whole_kernel.at("IADD3"), before.whole_kernel.at("IADD3"));
  EXPECT_LT(after.whole_kernel.at("total"), before.whole_kernel.at("total"));
  EXPECT_NEAR(after.main_loop.at("total"), before.main_loop.at("total"), 0.01 * before.main_loop.at("total"));
}

TEST_P(MachineCodeOf, Step12DividesOnceARow) {
  const MachineCode before = code(11);
  const MachineCode after = code(12);
  EXPECT_LT(after.whole_kernel.at("total"), before.whole_kernel.at("total") - 500);
  EXPECT_LT(after.whole_kernel.at("MUFU"), before.whole_kernel.at("MUFU"));
  EXPECT_GT(after.whole_kernel.at("FMUL"), before.whole_kernel.at("FMUL"));
}

TEST_P(MachineCodeOf, Step14StoresWithoutAllocatingAndPrefetchesIntoL2) {
  for (const auto& [kernel, variant, function, code] : rows({&kernel_numbered(13), &kernel_numbered(14)})) {
    SCOPED_TRACE(kernel->name);
    if (kernel->number == 13) {
      EXPECT_THAT(code.global_accesses, Not(Contains(HasSubstr(".NA"))));
      EXPECT_THAT(code.global_accesses, Not(Contains(HasSubstr("LTC128B"))));
    } else {
      EXPECT_THAT(code.global_accesses,
                  ElementsAre("LDGSTS.E.BYPASS.LTC128B.128", testing::StartsWith("STG.E.NA.128")));
    }
  }
  EXPECT_EQ(code(13).main_loop.at("total"), code(14).main_loop.at("total"));
}

TEST_P(MachineCodeOf, Step16HasNoArithmeticForStrides) {
  const MachineCode before = code(15);
  const MachineCode after = code(16);
  EXPECT_LT(after.whole_kernel.at("IADD3"), before.whole_kernel.at("IADD3"));
  EXPECT_LT(after.whole_kernel.at("total"), before.whole_kernel.at("total"));
  EXPECT_LT(after.main_loop.at("IADD3"), before.main_loop.at("IADD3"));
  EXPECT_LT(after.main_loop.at("total"), before.main_loop.at("total"));
}

// The marks are the published kernel's counts. The config that is the fastest on an H100 is not the shortest on other
// GPUs.
TEST_P(MachineCodeOf, Step16HasAShortLoop) {
  const bool all_configs = kernel_numbered(16).gpu().size() > 2;
  std::map<int, int> shortest;  // loop by its number of products
  for (const MachineCodeRow& row : rows({&kernel_numbered(16)}, true)) {
    const InstructionCounts& loop = row.code.main_loop;
    const auto [found, is_new] = shortest.emplace(loop.at("HMMA"), loop.at("total"));
    if (!is_new) found->second = std::min(found->second, loop.at("total"));
  }
  EXPECT_LE(shortest.at(256), 870);
  EXPECT_LE(code(16).main_loop.at("total"), 870);
  if (all_configs) {
    EXPECT_LE(shortest.at(128), 525);
  }
}

// 255 registers are all that a thread can have: a few values of the largest tile wait in memory.
TEST_P(MachineCodeOf, EveryKernelSpillsAtMostAFewRegistersInTheLoop) {
  for (const auto& [kernel, variant, function, code] : rows(of_chapter(sixteen))) {
    SCOPED_TRACE(kernel->name);
    EXPECT_LE(code.main_loop.at("LDL"), kernel->number < 7 ? 1 : 10);
    EXPECT_LE(code.main_loop.at("STL"), kernel->number < 7 ? 1 : 4);
    EXPECT_LE(code.function.stack_bytes, 32);
  }
}

}  // namespace
}  // namespace flash_steps
