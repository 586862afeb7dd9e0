// The files of a table: those that are refused, the pages that it is put into, and the command line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/base/error.h"
#include "harness/base/text.h"
#include "harness/pages/blocks.h"
#include "harness/pages/tables/times/ladder.h"
#include "harness/predict/predictions.h"
#include "harness/results/write.h"
#include "harness/runner/options.h"
#include "tests/support/all_configs.h"
#include "tests/support/content.h"
#include "tests/support/sweeps.h"
#include "tests/support/temporary_folder.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class TableFolder : public InTemporaryFolder {
 protected:
  using InTemporaryFolder::written;
  fs::path written(const std::string& name, const Results& results) const {
    write_results(results, folder_ / name);
    return folder_ / name;
  }

  fs::path sweep() const {
    std::vector<flash_steps::Run> runs = all_lengths("01_base", 50, 200);
    for (const flash_steps::Run& run : all_lengths("02_swizzling", 150, 200)) runs.push_back(run);
    return written("h100.json", results_of(runs));
  }

  // The complaint about one file, beside which a good one must still be read.
  std::string complaint(const fs::path& bad) const {
    const TableFiles table = read_table_files({bad, sweep()}, read_published());
    EXPECT_THAT(table.files, SizeIs(1));
    EXPECT_THAT(table.complaints, SizeIs(1));
    const std::string sentence = table.complaints.empty() ? "" : table.complaints.front();
    EXPECT_THAT(sentence, AllOf(HasSubstr(bad.string()), Not(HasSubstr("\n"))));
    return sentence;
  }

  std::string updated(const std::string& page, const std::string& text) const {
    const Published published = read_published();
    return updated_page(text, page, published, read_table_files({sweep()}, published).files);
  }

  std::string refusal(const std::string& page, const std::string& text) const {
    try {
      updated(page, text);
    } catch (const UsageError& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr(page), Not(HasSubstr("\n"))));
      return error.what();
    }
    return "accepted";
  }

  // Exit code, stdout and stderr.
  std::tuple<int, std::string, std::string> run(const std::string& arguments) const {
    const std::string out = (folder_ / "stdout").string();
    const std::string err = (folder_ / "stderr").string();
    const int status =
        std::system(("'" FLASH_STEPS_RUNNER "' " + arguments + " >'" + out + "' 2>'" + err + "'").c_str());
    return {WEXITSTATUS(status), content(out), content(err)};
  }
};

TEST_F(TableFolder, ABadFileIsNamedWithItsFieldAndTheOthersAreShown) {
  EXPECT_THAT(complaint(folder_ / "absent.json"), HasSubstr("cannot read"));
  EXPECT_THAT(complaint(written("text.json", "a table")), HasSubstr("is not JSON"));
  EXPECT_THAT(complaint(written("other.json", R"({"schema": "flash-steps/machine-code/1"})")),
              AllOf(HasSubstr("schema is"), HasSubstr("flash-steps/results/1")));
  EXPECT_THAT(complaint(written("empty.json", "{}")), HasSubstr("schema is missing"));
  const std::string whole = content(sweep());
  EXPECT_THAT(complaint(written("short.json", whole.substr(0, whole.size() / 2))), HasSubstr("is cut short"));
  Results gone = results_of({run_of("07_autotune", {4096, 50, 200})});
  gone.runs[0].kernel = "07_autotuned";
  EXPECT_THAT(complaint(written("gone.json", gone)),
              AllOf(HasSubstr("runs[0].kernel is \"07_autotuned\""), HasSubstr("nearest kernel is 07_autotune,")));
  Results untimed = results_of({run_of("01_base", {4096, 50, 200})});
  untimed.runs[0].timing.reset();
  EXPECT_THAT(complaint(written("untimed.json", untimed)), HasSubstr("runs holds no time of a published problem"));
}

TEST_F(TableFolder, OfAFolderOtherSchemasArePassedOverAndBadFilesAreNot) {
  sweep();
  written("machine_code.json", std::string(R"({"meta": {"schema": "x"}, "schema": "flash-steps/machine-code/1"})"));
  written("readme.txt", std::string("no JSON"));
  EXPECT_THAT(read_table_folder(folder_, read_published()).files, SizeIs(1));
  EXPECT_THAT(read_table_folder(folder_, read_published()).complaints, IsEmpty());
  written("short.json", std::string(R"({"schema": "flash-steps/results/1", "me)"));
  EXPECT_THAT(read_table_folder(folder_, read_published()).files, SizeIs(1));
  EXPECT_THAT(read_table_folder(folder_, read_published()).complaints, ElementsAre(HasSubstr("short.json")));
}

TEST_F(TableFolder, TheBlockOfAPageHasTheStepBeforeAndTheStep) {
  const std::string text = "before\n<!-- h100 -->\nwhat was there\n<!-- /h100 -->\nafter";
  const std::string page = updated("02_swizzling.md", text);
  EXPECT_TRUE(page.starts_with("before\n<!-- h100 -->\n| step | config | ms | TFLOP/s | % of FA2 |\n")) << page;
  EXPECT_TRUE(page.ends_with("\n<!-- /h100 -->\nafter")) << page;
  EXPECT_THAT(page,
              AllOf(HasSubstr("| 01_base | 64x64 | 43.980 | 50.0 | 25.0 |\n| 02_swizzling | 64x64 | 14.660 | 150.0 | "
                              "75.0 |\n\n"),
                    HasSubstr("h100.json`, made by `./runner --kernel=all`."), Not(HasSubstr("what was there"))));
  EXPECT_THAT(row_of(updated("01_base.md", text), "02_swizzling"), IsEmpty());
}

TEST_F(TableFolder, TheLadderHasAllSteps) {
  const std::string page = updated("16_static_stride.md", "<!-- h100-ladder -->\n<!-- /h100-ladder -->\n");
  for (const Kernel* kernel : of_chapter(sixteen)) EXPECT_THAT(row_of(page, kernel->name), SizeIs(5)) << kernel->name;
}

// The stored file's own numbers are compared with the page by the test of the committed pages.
TEST_F(TableFolder, TheMachineCodeHasTheColumnsOfItsMarker) {
  NEEDS_ALL_CONFIGS();
  const auto block = [&](const std::string& page, const std::string& words) {
    return updated(page, "<!-- machine-code" + words + " -->\nold\n<!-- /machine-code -->\n");
  };
  const std::string early = block("02_swizzling.md", " HMMA registers spill");
  EXPECT_TRUE(
      early.starts_with("<!-- machine-code HMMA registers spill -->\n"
                        "| step | arch | HMMA | registers | spill |\n"
                        "| --- | --- | ---: | ---: | ---: |\n"
                        "| 01_base | sm_80 | 128/128 | 168 | 0 |\n"
                        "| 02_swizzling | sm_80 | 128/128 | 168 | 0 |\n"
                        "| 01_base | sm_86 | "))
      << early;
  EXPECT_EQ(std::count(early.begin(), early.end(), '\n'), 2 + 2 + 6);
  EXPECT_THAT(early, Not(HasSubstr("old")));
  EXPECT_THAT(block("07_autotune.md", " HMMA"),
              AllOf(HasSubstr("| 06_fp32_throughput | 64x64 | sm_90 | 128/128 |"),
                    HasSubstr("| 07_autotune | 128x64_q2k2v2c1 | sm_90 | 256/256 |")));
  EXPECT_THAT(block("16_static_stride.md", " config=128x64_q2k2v2c2 HMMA"),
              AllOf(HasSubstr("| 15_tiled_head_dim | 128x64_q2k2v2c2 | sm_80 | 512/256 |"),
                    HasSubstr("| 16_static_stride | 128x64_q2k2v2c2_h16 | sm_80 | 512/256 |")));
}

TEST_F(TableFolder, AMachineCodeMarkerThatAsksForWhatIsNotThereIsRefused) {
  NEEDS_ALL_CONFIGS();
  const auto complaint = [&](const std::string& page, const std::string& words) {
    return refusal(page, "<!-- machine-code" + words + " -->\n<!-- /machine-code -->\n");
  };
  EXPECT_THAT(complaint("02_swizzling.md", " HMMA STG"),
              AllOf(HasSubstr("<!-- machine-code HMMA STG -->"), HasSubstr("there is no column STG; HMMA, LDSM,"),
                    HasSubstr("registers, spill would work")));
  EXPECT_THAT(complaint("02_swizzling.md", ""), HasSubstr("no column is named"));
  EXPECT_THAT(complaint("13_reverse_iteration.md", " config=128x64_q2k2v2c9 MOV"),
              AllOf(HasSubstr("13_reverse_iteration has no config 128x64_q2k2v2c9"), HasSubstr("128x64_q2k2v2c1,")));
  EXPECT_THAT(complaint("README.md", " MOV"), HasSubstr("is for the page of a step"));
}

TEST_F(TableFolder, ASecondUpdateChangesNothing) {
  const std::string text = "a\n<!-- table -->\n<!-- /table -->\nb\n<!-- h100 -->\n<!-- /h100 -->\n";
  const std::string once = updated("02_swizzling.md", text);
  EXPECT_NE(once, text);
  EXPECT_EQ(updated("02_swizzling.md", once), once);
}

TEST_F(TableFolder, APageThatCannotBeUpdatedIsRefused) {
  EXPECT_THAT(refusal("README.md", "text\n"), HasSubstr("<!-- table -->"));
  EXPECT_THAT(refusal("README.md", "<!-- table -->\ntext\n"), HasSubstr("no line <!-- /table -->"));
  EXPECT_THAT(refusal("02_swizzling.md", "<!-- table -->\n<!-- h100 -->\n<!-- /h100 -->\n<!-- /table -->\n"),
              HasSubstr("no line <!-- /table -->"));
  EXPECT_THAT(refusal("README.md", "<!-- h100 -->\n<!-- /h100 -->\n"),
              HasSubstr(kernels().front().page_path().filename()));
  try {
    updated_page("<!-- h100 -->\n<!-- /h100 -->\n", "01_base.md", read_published(), {});
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("docs/results/h100.json"));
  }
}

TEST_F(TableFolder, TheRunnerRewritesAPageOrAFolder) {
  const std::string good = "'" + sweep().string() + "'";
  const fs::path readme = written("README.md", std::string("<!-- table -->\n<!-- /table -->\n"));
  const fs::path page = written("01_base.md", std::string("<!-- h100 -->\n<!-- /h100 -->\n"));
  const auto [code, out, err] = run("--table " + good + " --update='" + readme.string() + "'");
  EXPECT_EQ(code, 0) << err;
  EXPECT_THAT(out, HasSubstr("README.md: rewritten"));
  EXPECT_EQ(row_of(content(readme), "02_swizzling").at(6), "75.0");
  const auto [folder_code, folder_out, folder_err] = run("--table " + good + " --update='" + folder_.string() + "'");
  EXPECT_EQ(folder_code, 0) << folder_err;
  EXPECT_EQ(folder_out, page.string() + ": rewritten\n" + readme.string() + ": as it should be\n");
  EXPECT_THAT(std::get<1>(run("--table " + good + " --update='" + page.string() + "'")), HasSubstr("as it should be"));
}

TEST_F(TableFolder, TheRunnerComplainsAndShowsTheRestButUpdatesNothing) {
  const std::string files = "'" + written("bad.json", std::string("{")).string() + "' '" + sweep().string() + "'";
  const auto [code, out, err] = run("--table " + files);
  EXPECT_EQ(code, 2);
  EXPECT_EQ(row_of(out, "02_swizzling").at(6), "75.0");
  EXPECT_EQ(std::count(err.begin(), err.end(), '\n'), 1) << err;
  EXPECT_THAT(err, HasSubstr("bad.json"));

  const fs::path page = written("README.md", std::string("<!-- table -->\n<!-- /table -->\n"));
  const std::string before = content(page);
  EXPECT_EQ(std::get<0>(run("--table " + files + " --update='" + page.string() + "'")), 2);
  EXPECT_EQ(content(page), before);
  EXPECT_EQ(std::get<0>(run("--table --update='" + written("no_markers.md", std::string("text")).string() + "'")), 2);
  EXPECT_EQ(std::get<0>(run("--table --update='" + (folder_ / "absent.md").string() + "'")), 2);
}

// The best of a step's configs at the table's length, as the overview shows what is predicted.
std::string predicted_best(const std::string& card, const std::string& kernel) {
  double best = 0;
  for (const PredictedRun& run : read_stored_predictions().runs) {
    const bool counts =
        run.card == card && run.kernel == kernel && run.problem.seqlen == table_seqlen && run.without.empty();
    if (counts) best = std::max(best, run.percent.value_or(0));
  }
  return "*" + fixed(best, 1) + "*";
}

TEST_F(TableFolder, TheOverviewHasEachStepsPageIdeaAndPublishedAndPredictedFigures) {
  const std::string page = updated("README.md", "<!-- overview -->\n<!-- /overview -->\n");
  EXPECT_THAT(
      row_of(page, "[02_swizzling](docs/02_swizzling.md)"),
      ElementsAre("[02_swizzling](docs/02_swizzling.md)", "one line against the bank conflicts", "72.6",
                  predicted_best("a100", "02_swizzling"), "98.3", predicted_best("rtx3090", "02_swizzling"), "75.0"));
  EXPECT_THAT(row_of(page, "[16_static_stride](docs/16_static_stride.md)"),
              ElementsAre("[16_static_stride](docs/16_static_stride.md)", "the row stride is a constant", "99.2",
                          predicted_best("a100", "16_static_stride"), "100.9",
                          predicted_best("rtx3090", "16_static_stride"), "—"));
}

TEST_F(TableFolder, ThePublishedKernelsStandBesideTheStepsOnTheH100) {
  const std::string page = updated("16_static_stride.md", "<!-- h100-published -->\n<!-- /h100-published -->\n");
  EXPECT_THAT(row_of(page, "02_swizzling"), ElementsAre("02_swizzling", "81.8", "75.0", "−6.8"));
  EXPECT_THAT(row_of(page, "03_eager_loads"), IsEmpty());
}

TEST_F(TableFolder, AStepStandsBesideTheOneBeforeAtEachLength) {
  const std::string page = updated("02_swizzling.md", "<!-- h100 -->\n<!-- /h100 -->\n");
  EXPECT_THAT(page, HasSubstr("\n| % of FA2 at seqlen | 512 | 1024 | 2048 | 4096 | 8192 | 16384 |\n"));
  EXPECT_THAT(row_of(page, "difference, points"), testing::Contains("**+50.0**"));
}

TEST_F(TableFolder, TheNavigationLeadsToTheNeighbours) {
  const std::string page = updated("02_swizzling.md", "<!-- navigation -->\n<!-- /navigation -->\n");
  EXPECT_THAT(page, AllOf(HasSubstr("Previous: [01_base](01_base.md), the whole kernel"),
                          HasSubstr("Next: [03_eager_loads](03_eager_loads.md), copy while you multiply"),
                          HasSubstr("(../README.md)"), HasSubstr("(method/glossary.md)")));
}

TEST_F(TableFolder, ARunIsShownAsTheRunnerPrintedIt) {
  const std::string page = updated("README.md", "<!-- run emulator.json 02_swizzling -->\n<!-- /run -->\n");
  EXPECT_THAT(
      page, AllOf(HasSubstr("```\nemulator: batch 1, heads 1, seqlen 256"), HasSubstr("02_swizzling  64x64  right:")));
  EXPECT_EQ(page.find("01_base"), std::string::npos);
  EXPECT_THAT(refusal("README.md", "<!-- run emulator.json 99_x -->\n<!-- /run -->\n"),
              HasSubstr("has no run of 99_x"));
  EXPECT_THAT(refusal("README.md", "<!-- run emulator.json -->\n<!-- /run -->\n"),
              HasSubstr("names no file and kernel"));
}

TEST_F(TableFolder, TheRunnerShowsBoundsOnlyInATable) {
  EXPECT_THAT(std::get<1>(run("--table --bounds")), AllOf(HasSubstr("| A100, bound |"), HasSubstr("| 51.4 |")));
  EXPECT_THAT(std::get<1>(run("--table")), Not(HasSubstr("bound")));
  EXPECT_EQ(run("--kernel=01 --bounds"),
            std::tuple(2, "", "runner: --bounds is for --table, which is not given; give both or neither\n"));
}

TEST_F(TableFolder, TheBlocksOfTheBoundsAreMadeAnew) {
  const auto block = [&](const std::string& name) {
    return updated("bounds.md", "<!-- " + name + " -->\n<!-- /" + name + " -->\n");
  };
  EXPECT_THAT(block("bounds"), AllOf(HasSubstr("| A100, bound |"), HasSubstr("| H100, fp16, bound |")));
  EXPECT_THAT(block("bound"), AllOf(HasSubstr("```\nThe bound: "), HasSubstr("ldmatrix 8,192, cp.async 256")));
  EXPECT_THAT(block("pipes"), AllOf(HasSubstr("| RTX 3090 | config | tensor |"), HasSubstr("| **8,448** |")));
  EXPECT_THAT(block("rates"), HasSubstr("| cycles of an `mma.m16n8k16` | 2 | 8 | 1.5 |"));
}

TEST(Table, TheReadmeAndThePagesAgreeWithTheResults) {
  NEEDS_ALL_CONFIGS();
  if (!fs::exists(stored_results() / "h100.json")) GTEST_SKIP() << "there is no docs/results/h100.json";
  const fs::path root = FLASH_STEPS_SOURCE_DIR;
  const Published published = read_published();
  const TableFiles table = read_table_folder(stored_results(), published);
  EXPECT_THAT(table.complaints, IsEmpty());
  std::vector<fs::path> pages = pages_to_update(root / "docs");
  EXPECT_THAT(pages, SizeIs(testing::Ge(of_chapter(sixteen).size()))) << "every step has a page with a block";
  pages.push_back(root / "README.md");
  for (const fs::path& page : pages) {
    const std::string text = content(page);
    EXPECT_TRUE(updated_page(text, page, published, table.files) == text)
        << "./runner --table --update=" << fs::relative(page, root).string() << " would make them agree";
  }
}

// --- The command line --------------------------------------------------------------------------------------------

Options parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "runner");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

TEST(TableOptions, FilesFollowTheTable) {
  const Options options = parse({"--table", "a.json", "b.json", "--update=README.md"});
  EXPECT_EQ(options.mode, Mode::table);
  EXPECT_THAT(options.files, ElementsAre("a.json", "b.json"));
  EXPECT_EQ(options.update, "README.md");
  EXPECT_THAT(parse({"--table"}).files, IsEmpty());
  EXPECT_FALSE(parse({"--table"}).bounds);
  EXPECT_TRUE(parse({"--table", "--bounds", "a.json"}).bounds);
}

TEST(TableOptions, WhatDoesNotGoTogetherIsRefused) {
  EXPECT_THROW(parse({"--list", "a.json"}), UsageError);
  EXPECT_THROW(parse({"--kernel=01", "--update=README.md"}), UsageError);
  EXPECT_THROW(parse({"--table", "--update=README.md", "--kernel=01"}), UsageError);
  EXPECT_THROW(parse({"--table", "--json=a.json"}), UsageError);
  EXPECT_THROW(parse({"--table", "--list"}), UsageError);
  EXPECT_THROW(parse({"--kernel=01", "--bounds"}), UsageError);
  EXPECT_THROW(parse({"--bounds"}), UsageError);
  EXPECT_THROW(parse({"--table", "--bounds", "--update=README.md"}), UsageError);
  EXPECT_THROW(parse({"--table", "--no-such"}), UsageError);
}

}  // namespace
}  // namespace flash_steps
