// What each step beyond the sixteen claims of its machine code holds in the built runner, where that has code for
// sm_90a. Counts that follow from the tile are equal to it; what a compiler decides is compared with the step before.
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/base/error.h"
#include "harness/contract/chapter.h"
#include "harness/contract/module.h"
#include "harness/contract/registry.h"
#include "harness/measure/plan.h"
#include "harness/sass/built.h"
#include "harness/sass/counts.h"
#include "harness/sass/cuobjdump.h"
#include "tests/sass/has_cuda.h"

namespace flash_steps {
namespace {

constexpr int wgmma_rows = 64, wgmma_depth = 16;

class HopperCode : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_cuda) GTEST_SKIP() << "this build has no machine code for a GPU";
    for (const Kernel* kernel : of_chapter("beyond")) {
      if (kernel->emulator().front().needs.exactly) kernels_.push_back(kernel);
    }
    try {
      const std::vector<DeviceFunction> functions =
          Cuobjdump().functions(module_file(kernels_.front()->name, Target::gpu));
      if (functions.empty() || functions.front().arch != "sm_90a") GTEST_SKIP() << "this build has no code for sm_90a";
    } catch (const MachineError& error) {
      GTEST_SKIP() << error.what();
    }
  }

  static std::vector<MachineCodeRow> rows(const Kernel& kernel, const std::string& arch) {
    std::vector<const Variant*> first = chosen_variants(kernel, Target::gpu, Dtype::fp16, "");
    first.resize(1);
    return read_machine_code(kernel, first, {arch});
  }

  static MachineCode code(const std::string& name) { return rows(*find_kernel(name), "sm_90a").front().code; }

  std::vector<const Kernel*> kernels_;  // those for Hopper alone
};

// A wgmma that ptxas serializes (C7510 and its like) has a fence of its own and a wait: WARPGROUP would be many more.
TEST_F(HopperCode, EveryKernelHasTheProductsOfItsTileInGroupsThatRunOnAndNoSpills) {
  for (const Kernel* kernel : kernels_) {
    SCOPED_TRACE(kernel->name);
    const MachineCodeRow row = rows(*kernel, "sm_90a").front();
    const InstructionCounts& counts = row.code.whole_kernel;
    const int products = (default_head_dim + row.variant->tile.tile_cols) / wgmma_depth;
    EXPECT_EQ(counts.at("HGMMA") % products, 0);
    EXPECT_GT(counts.at("HGMMA"), 0);
    EXPECT_LE(counts.at("WARPGROUP"), counts.at("HGMMA") / products * 4);
    EXPECT_EQ(counts.at("HMMA"), 0);
    EXPECT_EQ(counts.at("LDSM"), 0) << "operands come from shared memory and from P's own registers";
    EXPECT_EQ(row.code.function.stack_bytes, 0);
  }
}

TEST_F(HopperCode, Step20CopiesByTmaAndWaitsAtMbarriers) {
  const InstructionCounts before = code("19_wgmma").whole_kernel, after = code("20_tma").whole_kernel;
  EXPECT_GT(before.at("LDGSTS"), 0);
  EXPECT_EQ(before.at("UTMALDG"), 0);
  EXPECT_EQ(before.at("SYNCS"), 0);
  EXPECT_EQ(after.at("LDGSTS"), 0);
  EXPECT_GT(after.at("UTMALDG"), 0);
  EXPECT_GT(after.at("SYNCS"), 0);
}

TEST_F(HopperCode, Step21GivesRegistersAwayAndTakesThem) {
  EXPECT_EQ(code("20_tma").whole_kernel.at("USETMAXREG"), 0);
  EXPECT_EQ(code("21_producer").whole_kernel.at("USETMAXREG"), 2);
}

TEST_F(HopperCode, Step23StoresByMatricesAndByTma) {
  const InstructionCounts before = code("22_overlap").whole_kernel, after = code("23_tma_store").whole_kernel;
  EXPECT_EQ(before.at("STSM") + before.at("UTMASTG"), 0);
  EXPECT_GT(after.at("STSM"), 0);
  EXPECT_GT(after.at("UTMASTG"), 0);
  EXPECT_LT(after.at("STS"), before.at("STS"));
  EXPECT_LT(after.at("total"), before.at("total"));
}

}  // namespace
}  // namespace flash_steps
