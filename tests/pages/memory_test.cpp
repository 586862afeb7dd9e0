// docs/method/memory.md: its formulas are what the emulator counted, and its figures those of the results.
#include "harness/pages/tables/counts/memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "harness/base/error.h"
#include "harness/contract/registry.h"
#include "harness/pages/blocks.h"
#include "harness/results/folder.h"
#include "harness/results/read.h"
#include "harness/results/stored_times.h"
#include "harness/runner/options.h"
#include "tests/support/all_configs.h"
#include "tests/support/content.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

int tile_rows_of(const flash_steps::Run& run) {
  for (const Kernel& kernel : kernels()) {
    if (kernel.name != run.kernel) continue;
    for (const Variant& variant : kernel.emulator()) {
      if (variant.tile.config == run.config) return variant.tile.tile_rows;
    }
  }
  throw std::runtime_error(run.kernel + " " + run.config + " is not registered");
}

TEST(MemoryPage, TheFormulasAreWhatTheEmulatorCountedAtEveryLength) {
  NEEDS_ALL_CONFIGS();
  const Results results = read_results(stored_results() / "traffic.json");
  std::set<int> seqlens, tile_rows;
  for (const flash_steps::Run& run : results.runs) {
    const std::string name = run.kernel + " at " + std::to_string(run.problem.seqlen);
    ASSERT_TRUE(run.counters && run.memory) << name;
    seqlens.insert(run.problem.seqlen);
    tile_rows.insert(tile_rows_of(run));
    EXPECT_EQ(counted_read_bytes(*run.counters), tiled_read_bytes(run.problem, tile_rows_of(run))) << name;
    EXPECT_EQ(counted_written_bytes(*run.counters), tiled_written_bytes(run.problem)) << name;
    // 4·N·d elements: what is distinct, and what is held.
    const int64_t linear = 4 * run.problem.bytes();
    EXPECT_EQ(static_cast<int64_t>(run.counters->hbm_bytes_read + run.counters->hbm_bytes_written), linear) << name;
    EXPECT_EQ(run.memory->peak_bytes(), linear) << name;
  }
  EXPECT_EQ(seqlens, (std::set<int>{128, 256, 512, 1024, 2048}));
  EXPECT_EQ(tile_rows, (std::set<int>{64, 128}));
}

TEST(MemoryPage, TheFormulasAreThoseOfThePage) {
  const Problem problem{.batch = 2, .heads = 3, .seqlen = 4096};
  const uint64_t n = 4096;
  const uint64_t d = 128;
  EXPECT_EQ(standard_traffic_bytes(problem), 6 * (4 * n * n + 4 * n * d) * 2);
  for (const int tile_rows : {64, 128}) {
    EXPECT_EQ(tiled_read_bytes(problem, tile_rows) + tiled_written_bytes(problem),
              6 * 2 * n * d * (1 + n / tile_rows) * 2);
  }
  // 64 rows ask for as much as standard attention moves, but for Q, K, V and O themselves.
  EXPECT_EQ(tiled_read_bytes(problem, 64) + tiled_written_bytes(problem) + 6 * 2 * n * d * 2,
            standard_traffic_bytes(problem));
}

Results with_memory() {
  Results results;
  for (const int seqlen : {1024, 2048}) {
    flash_steps::Run run;
    run.problem.seqlen = seqlen;
    run.memory = {{.tensor_bytes = int64_t{seqlen} * 1024}};
    results.runs.push_back(run);
    run.config = "another";
    run.memory->workspace_bytes = 1;
    results.runs.push_back(run);
    BaselineRun standard;
    standard.baseline = Baseline::standard;
    standard.problem = run.problem;
    standard.memory = {{.tensor_bytes = int64_t{seqlen} * 1024, .workspace_bytes = int64_t{seqlen} * 2048}};
    results.baselines.push_back(standard);
    BaselineRun cudnn;
    cudnn.baseline = Baseline::cudnn;
    cudnn.problem = run.problem;
    cudnn.unavailable = "fa2 and cudnn need the PyTorch plugin";
    results.baselines.push_back(cudnn);
  }
  results.baselines[2].unavailable = "standard attention keeps seqlen² numbers a head";
  results.baselines[2].out_of_memory = true;
  return results;
}

TEST(MemoryPage, ALengthIsARowAndWhatDidNotFitIsOutOfMemory) {
  EXPECT_EQ(render_memory(with_memory()),
            "| seqlen | kernel | FlashAttention-2 | cuDNN | standard |\n"
            "| --- | ---: | ---: | ---: | ---: |\n"
            "| 1024 | 1.0 | — | — | 3.0 |\n"
            "| 2048 | 2.0 | — | — | out of memory |\n");
}

TEST(MemoryPage, ARunWithoutCountersHasNoRow) {
  Results results = with_memory();
  const std::string head = render_traffic(results);
  EXPECT_EQ(std::count(head.begin(), head.end(), '\n'), 2);
  Counters counters;
  counters.cp_async.sectors = 2000;
  counters.global_store.sectors = 3;
  results.runs[0].kernel = "02_swizzling";
  results.runs[0].config = "64x64";
  results.runs[0].counters = counters;
  EXPECT_EQ(render_traffic(results), head + "| 02_swizzling | 64x64 | 1024 | 64,000 | 96 | 0 | 9,437,184 |\n");
}

TEST(MemoryPage, AgreesWithTheResults) {
  const std::string text = content(fs::path(FLASH_STEPS_SOURCE_DIR) / "docs" / "method" / "memory.md");
  const Results traffic = read_results(stored_results() / "traffic.json");
  EXPECT_TRUE(text.find("<!-- traffic -->\n" + render_traffic(traffic) + "<!-- /traffic -->\n") != std::string::npos)
      << "./runner --table --update=docs/method/memory.md would make them agree";
  const fs::path memory = stored_results() / "h100_memory.json";  // without it there are no figures to print
  const std::string table = fs::exists(memory) ? render_memory(read_results(memory)) : "";
  EXPECT_TRUE(text.find("<!-- memory -->\n" + table + "<!-- /memory -->\n") != std::string::npos)
      << "./runner --table --update=docs/method/memory.md would make them agree";
}

TEST(MemoryPage, IsMadeAnewFromTheResultsAndSaysWhichAreMissing) {
  const fs::path page = fs::path(FLASH_STEPS_SOURCE_DIR) / "docs" / "method" / "memory.md";
  const Results traffic = read_results(stored_results() / "traffic.json");
  const std::string block = "# A page\n<!-- traffic -->\nold\n<!-- /traffic -->\n";
  EXPECT_EQ(updated_page(block, page, {}, {}),
            "# A page\n<!-- traffic -->\n" + render_traffic(traffic) + "<!-- /traffic -->\n");
  if (fs::exists(stored_results() / "h100_memory.json")) return;
  try {
    updated_page("<!-- memory -->\n<!-- /memory -->\n", page, {}, {});
    ADD_FAILURE() << "there is no file to make it from";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("h100_memory.json"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace flash_steps
