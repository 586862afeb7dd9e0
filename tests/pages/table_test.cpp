// The table: its figures by hand, and its marks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/contract/registry.h"
#include "harness/pages/tables/times/ladder.h"
#include "harness/results/stored_times.h"
#include "tests/support/sweeps.h"

namespace flash_steps {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// --- The figures -------------------------------------------------------------------------------------------------

TEST(Table, HasThePublishedFiguresWithoutAnyFile) {
  const std::string table = table_of({});
  EXPECT_THAT(row_of(table, "01_base"), ElementsAre("01_base", "15.8", "16.6", "49.5", "49.8"));
  EXPECT_THAT(row_of(table, "16_static_stride"), ElementsAre("16_static_stride", "99.2", "100.4", "100.9", "100.7"));
  EXPECT_THAT(row_of(table, "FlashAttention-2, TFLOP/s"),
              ElementsAre("FlashAttention-2, TFLOP/s", "186.4", "174.0", "67.3", "66.2"));
  EXPECT_THAT(table, AllOf(HasSubstr("94.28"), HasSubstr("half"), HasSubstr("1110 MHz")));
}

TEST(Table, ThePublishedStepsAreTheKernels) {
  for (const PublishedColumn& column : read_published().columns) {
    EXPECT_EQ(column.percent.size(), of_chapter(sixteen).size());
    for (const Kernel* kernel : of_chapter(sixteen)) EXPECT_TRUE(column.percent.count(kernel->name)) << kernel->name;
  }
}

TEST(Table, TheHarmonicMeanIsThatOfTheRates) {
  EXPECT_DOUBLE_EQ(harmonic_mean({1, 2, 4}), 3 / 1.75);
  EXPECT_EQ(harmonic_mean({1, 0}), 0);
  // Rates 100 and five times 200, of 200 and five times 250: 6 / 0.035 over 6 / 0.025.
  std::vector<flash_steps::Run> runs;
  for (const int seqlen : read_published().seqlens) {
    runs.push_back(run_of("01_base", seqlen == 512 ? Rate{seqlen, 100, 200} : Rate{seqlen, 200, 250}));
  }
  const std::string table = table_of({{"a.json", results_of(runs)}});
  EXPECT_THAT(row_of(table, "01_base"), ElementsAre("01_base", "15.8", "16.6", "49.5", "49.8", "80.0", "71.4"));
  EXPECT_THAT(row_of(table, "FlashAttention-2, TFLOP/s"),
              ElementsAre("FlashAttention-2, TFLOP/s", "186.4", "174.0", "67.3", "66.2", "250.0", "240.0"));
}

TEST(Table, AMeanThatLacksALengthIsLeftOpen) {
  const std::string table = table_of({{"a.json", results_of({run_of("01_base", {4096, 50, 200})})}});
  EXPECT_THAT(row_of(table, "01_base"), ElementsAre("01_base", "15.8", "16.6", "49.5", "49.8", "25.0", "—"));
  EXPECT_THAT(row_of(table, "02_swizzling"), ElementsAre("02_swizzling", "72.6", "72.4", "98.3", "98.6", "—", "—"));
}

TEST(Table, TheBestConfigCounts) {
  flash_steps::Run better = run_of("01_base", {4096, 100, 200});
  better.config = "better";
  const std::string table = table_of({{"a.json", results_of({run_of("01_base", {4096, 50, 200}), better})}});
  EXPECT_EQ(row_of(table, "01_base").at(5), "50.0");
}

TEST(Table, OtherProblemsDoNotCount) {
  flash_steps::Run other = run_of("01_base", {4096, 100, 200});
  other.problem.batch = 1;
  const std::vector<ResultsFile> files = {{"a.json", results_of({other})}};
  EXPECT_THAT(sweeps_of(files, read_published()), IsEmpty());
}

// --- Files of one GPU --------------------------------------------------------------------------------------------

TEST(Table, OfTwoFilesOfOneGpuTheNewestCountsAndItIsSaid) {
  const ResultsFile older{"older.json",
                          results_of({run_of("01_base", {4096, 50, 200}), run_of("02_swizzling", {4096, 60, 200})},
                                     "2025-01-01T00:00:00Z")};
  const ResultsFile newer{"newer.json", results_of({run_of("01_base", {4096, 100, 200})}, "2026-01-01T00:00:00Z")};
  for (const auto& files : {std::vector{older, newer}, std::vector{newer, older}}) {
    const std::string table = table_of(files);
    EXPECT_THAT(row_of(table, "01_base"), SizeIs(7));
    EXPECT_EQ(row_of(table, "01_base").at(5), "50.0");
    EXPECT_EQ(row_of(table, "02_swizzling").at(5), "30.0");  // which the newer one lacks
    EXPECT_THAT(table,
                HasSubstr("`newer.json` of 2026-01-01, `older.json` of 2025-01-01; where they hold the same run, "
                          "that of the newest counts"));
  }
}

TEST(Table, TheTypesAreColumnsOfTheirOwn) {
  flash_steps::Run bf16 = run_of("01_base", {4096, 100, 200});
  bf16.problem.dtype = Dtype::bf16;
  const std::string table =
      table_of({{"a.json", results_of({run_of("01_base", {4096, 50, 200})})}, {"b.json", results_of({bf16})}});
  EXPECT_THAT(table, AllOf(HasSubstr("| H100, fp16 | H100, fp16, mean | H100, bf16 | H100, bf16, mean |"),
                           Not(HasSubstr("newest"))));
  EXPECT_EQ(row_of(table, "01_base").at(5), "25.0");
  EXPECT_EQ(row_of(table, "01_base").at(7), "50.0");
}

// --- Marks -------------------------------------------------------------------------------------------------------

TEST(Table, ARunWithClocksHeldDownIsMarked) {
  const std::string table = table_of({{"a.json", results_of({run_of("01_base", {4096, 50, 200, true}),
                                                             run_of("02_swizzling", {4096, 60, 200, false})})}});
  EXPECT_EQ(row_of(table, "01_base").at(5), "25.0*");
  EXPECT_EQ(row_of(table, "02_swizzling").at(5), "30.0");
  EXPECT_THAT(table, AllOf(HasSubstr(" *: behind these figures are runs whose clocks were held down"),
                           HasSubstr("1500 MHz at seqlen 4096 (of at most 1980)")));
}

TEST(Table, WhereAllClocksWereHeldDownItIsSaidOnce) {
  const std::string table = table_of({{"a.json", results_of({run_of("01_base", {4096, 50, 200, true})})}});
  EXPECT_EQ(row_of(table, "01_base").at(5), "25.0");
  EXPECT_THAT(table, AllOf(HasSubstr("Behind all figures are runs whose clocks were held down"), Not(HasSubstr("*"))));
}

TEST(Table, WhereNoClocksWereHeldDownNothingIsSaid) {
  EXPECT_THAT(table_of({{"a.json", results_of({run_of("01_base", {4096, 50, 200})})}}), Not(HasSubstr("held down")));
}

TEST(Table, TheBoundsAreAThirdColumnOfEachGpu) {
  const Published published = read_published();
  const std::vector<ResultsFile> files = {{"a.json", results_of({run_of("01_base", {4096, 50, 200})})}};
  const StoredBounds bounds = read_stored_bounds();
  const std::string table = render_table(all_kernels(), published, sweeps_of(files, published), &bounds);
  EXPECT_THAT(table, AllOf(HasSubstr("| A100, published, mean | A100, bound | RTX 3090, published |"),
                           HasSubstr("| H100, fp16, mean | H100, fp16, bound |"), HasSubstr("- Bound: ")));
  // 132 SMs at 1980 MHz, 2731 FLOP a cycle each, are 713.7 TFLOP/s: 768 / 8448 and 768 / 1280 of that, over 200.
  EXPECT_THAT(row_of(table, "01_base"),
              ElementsAre("01_base", "15.8", "16.6", "16.2", "49.5", "49.8", "51.4", "25.0", "—", "32.4"));
  EXPECT_THAT(row_of(table, "02_swizzling"),
              ElementsAre("02_swizzling", "72.6", "72.4", "106.6", "98.3", "98.6", "106.0", "—", "—", "214.1"));
}

TEST(Table, AGpuWhoseRatesAreNotKnownHasNoBound) {
  const Published published = read_published();
  ResultsFile file{"a.json", results_of({run_of("01_base", {4096, 50, 200})})};
  file.results.device.compute_capability = "12.0";
  const std::vector<ResultsFile> files = {file};
  const StoredBounds bounds = read_stored_bounds();
  const std::string table = render_table(all_kernels(), published, sweeps_of(files, published), &bounds);
  EXPECT_EQ(row_of(table, "01_base").back(), "—");
  EXPECT_THAT(table, HasSubstr("None for H100, fp16:"));
}

TEST(Table, AFigureOfOtherCodeIsMarked) {
  std::vector<flash_steps::Run> runs = all_lengths("01_base", 50, 300);
  EXPECT_THAT(table_of({{"x.json", results_of(runs)}}), Not(HasSubstr("‡")));
  runs[3].code = "0123";  // the length of the table
  const std::string table = table_of({{"x.json", results_of(runs)}});
  EXPECT_THAT(table, HasSubstr("‡: the kernel has changed since."));
}

TEST(Table, AStoredTimeOfTheReferenceIsMarked) {
  std::vector<flash_steps::Run> runs = {run_of("01_base", {4096, 50, 200}), run_of("02_swizzling", {4096, 60, 200})};
  for (flash_steps::Run& run : runs) run.baselines[Baseline::fa2].stored_in = "h100.json";
  const std::string table = table_of({{"a.json", results_of(runs)}});
  EXPECT_EQ(row_of(table, "01_base").at(5), "25.0†");
  EXPECT_EQ(row_of(table, "FlashAttention-2, TFLOP/s").at(5), "200.0†");
  EXPECT_THAT(table, HasSubstr("†: of the time of FlashAttention-2 that is stored in `h100.json`."));
}

}  // namespace
}  // namespace flash_steps
