// The errors beside FlashAttention-2's: their figures by hand, the files that are refused, and the page.
#include "harness/pages/tables/checks/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>

#include "harness/base/error.h"
#include "harness/contract/registry.h"
#include "harness/contract/select.h"
#include "harness/pages/page.h"
#include "harness/results/folder.h"
#include "harness/results/stored_times.h"
#include "harness/results/write.h"
#include "harness/runner/options.h"
#include "tests/support/content.h"
#include "tests/support/sweeps.h"
#include "tests/support/temporary_folder.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

Problem problem_of(InputDistribution inputs, Dtype dtype = Dtype::fp16) {
  return {.heads = 16, .seqlen = 1024, .dtype = dtype, .inputs = inputs};
}

flash_steps::Run run_with(const std::string& kernel, double rms, double max_abs, InputDistribution inputs = {},
                          Dtype dtype = Dtype::fp16) {
  flash_steps::Run run;
  run.kernel = kernel;
  run.config = "64x64";
  run.problem = problem_of(inputs, dtype);
  run.validation = {Verdict::right, max_abs, rms, 1, "fp64 on the GPU", {}};
  return run;
}

BaselineRun fa2_of(double rms, double max_abs, InputDistribution inputs = {}, Dtype dtype = Dtype::fp16) {
  BaselineRun run;
  run.problem = problem_of(inputs, dtype);
  run.implementation = "FlashAttention-2 of PyTorch";
  run.validation = {Verdict::right, max_abs, rms, 1, "fp64 on the GPU", {}};
  return run;
}

Results results_with(const std::vector<flash_steps::Run>& runs, const std::vector<BaselineRun>& baselines) {
  Results results;
  results.meta = {{"runner", "--kernel=all", "--json=out.json"}, {}, {}, "2026-01-02T03:04:05Z", "GCC", "13.0", "1"};
  results.device = {Target::gpu, "NVIDIA H100", "9.0", 132, 1, 1, 1, 1980, 2619, "1"};
  results.runs = runs;
  results.baselines = baselines;
  return results;
}

std::string rendered(const std::vector<flash_steps::Run>& runs, const std::vector<BaselineRun>& baselines) {
  return render_errors(all_kernels(), {"errors.json", results_with(runs, baselines)});
}

// --- The figures -------------------------------------------------------------------------------------------------

TEST(ErrorRatio, IsOneWhereBothAreExactAndInfiniteWhereWeAloneAreNot) {
  EXPECT_EQ(error_ratio(3, 2), 1.5);
  EXPECT_EQ(error_ratio(0, 2), 0);
  EXPECT_EQ(error_ratio(0, 0), 1);
  EXPECT_EQ(error_ratio(1e-30, 0), std::numeric_limits<double>::infinity());
}

TEST(ErrorTable, HasATableForEachTypeAndMeasureWithRatios) {
  using enum InputDistribution;
  EXPECT_EQ(
      rendered({run_with("01_base", 0.5, 3), run_with("01_base", 0.25, 4, tiny),
                run_with("01_base", 8, 9, normal, Dtype::bf16)},
               {fa2_of(0.5, 4), fa2_of(0.5, 4, tiny), fa2_of(10, 10, normal, Dtype::bf16)}),
      "| fp16, rms of the errors | normal | tiny |\n"
      "| --- | ---: | ---: |\n"
      "| 01_base | 0.5 (1.00) | 0.25 (0.50) |\n"
      "| FlashAttention-2 | 0.5 | 0.5 |\n"
      "\n"
      "| fp16, largest error | normal | tiny |\n"
      "| --- | ---: | ---: |\n"
      "| 01_base | 3 (0.75) | 4 (1.00) |\n"
      "| FlashAttention-2 | 4 | 4 |\n"
      "\n"
      "| bf16, rms of the errors | normal | tiny |\n"
      "| --- | ---: | ---: |\n"
      "| 01_base | 8 (0.80) | — |\n"
      "| FlashAttention-2 | 10 | — |\n"
      "\n"
      "| bf16, largest error | normal | tiny |\n"
      "| --- | ---: | ---: |\n"
      "| 01_base | 9 (0.90) | — |\n"
      "| FlashAttention-2 | 10 | — |\n"
      "\n"
      "- H100, batch 1, heads 16, seqlen 1024, seed 1, against fp64 on the GPU: `errors.json` of 2026-01-02, made "
      "by `./runner --kernel=all`.\n"
      "- In parentheses: in units of the error of FlashAttention-2 (FlashAttention-2 of PyTorch) on the same "
      "inputs. The largest are 1.000 for the rms of the errors (01_base, fp16, normal) and 1.000 for the largest "
      "error (01_base, fp16, tiny).\n");
}

TEST(ErrorTable, NeighboursWithTheSameFiguresAreOneLine) {
  const std::string table =
      rendered({run_with("01_base", 1, 2), run_with("02_swizzling", 1, 2), run_with("03_eager_loads", 1, 2),
                run_with("04_interleaved_loads", 1, 3), run_with("05_double_buffering", 1, 2)},
               {});
  EXPECT_THAT(table, HasSubstr("| 01_base to 03_eager_loads | 2 |\n| 04_interleaved_loads | 3 |\n"
                               "| 05_double_buffering | 2 |\n"));
}

TEST(ErrorTable, OfAStepTheWorstConfigCounts) {
  flash_steps::Run other = run_with("01_base", 2, 3);
  other.config = "other";
  const std::string table = rendered({run_with("01_base", 1, 4), other}, {fa2_of(2, 4)});
  EXPECT_THAT(table, AllOf(HasSubstr("| 01_base | 2 (1.00) |"), HasSubstr("| 01_base | 4 (1.00) |"),
                           HasSubstr("several configs")));
}

TEST(ErrorTable, RatiosAboveTheAimAreBold) {
  EXPECT_THAT(rendered({run_with("01_base", 1.2, 1.21)}, {fa2_of(1, 1)}),
              AllOf(HasSubstr("| 1.2 (1.20) |"), HasSubstr("| 1.21 (**1.21**) |")));
  EXPECT_THAT(rendered({run_with("01_base", 1, 1)}, {fa2_of(0, 0)}), HasSubstr("| 1 (**∞**) |"));
}

TEST(ErrorTable, WithoutFlashAttention2ThereAreNoRatios) {
  BaselineRun missing = fa2_of(1, 1);
  missing.unavailable = "there is none";
  for (const auto& baselines : {std::vector<BaselineRun>{}, std::vector{missing}}) {
    EXPECT_THAT(rendered({run_with("01_base", 1, 2)}, baselines),
                AllOf(HasSubstr("| 01_base | 1 |\n| FlashAttention-2 | — |"), Not(HasSubstr("("))));
  }
}

// --- Files and pages ---------------------------------------------------------------------------------------------

class ErrorFiles : public InTemporaryFolder {
 protected:
  std::string written(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  std::string written(const std::string& name, const Results& results) const {
    write_results(results, folder_ / name);
    return (folder_ / name).string();
  }

  // Exit code, stdout and stderr.
  std::tuple<int, std::string, std::string> run(const std::string& arguments) const {
    const std::string out = (folder_ / "stdout").string();
    const std::string err = (folder_ / "stderr").string();
    const int status =
        std::system(("'" FLASH_STEPS_RUNNER "' " + arguments + " >'" + out + "' 2>'" + err + "'").c_str());
    return {WEXITSTATUS(status), content(out), content(err)};
  }

  // One sentence on stderr, that names the file.
  void expect_refused(const std::string& file, const std::string& what) const {
    const auto [code, out, err] = run("--errors '" + file + "'");
    EXPECT_EQ(code, 2) << file;
    EXPECT_EQ(out, "") << file;
    EXPECT_EQ(std::count(err.begin(), err.end(), '\n'), 1) << err;
    EXPECT_THAT(err, AllOf(HasSubstr(file), HasSubstr(what)));
  }
};

TEST_F(ErrorFiles, WhatIsNoFileOfErrorsIsRefused) {
  expect_refused((folder_ / "absent.json").string(), "cannot read");
  expect_refused(written("text.json", std::string("a table")), "is not JSON");
  expect_refused(written("other.json", std::string(R"({"schema": "flash-steps/machine-code/1"})")), "schema is");
  expect_refused(written("none.json", results_with({}, {})), "runs is empty");
  expect_refused(written("gone.json", results_with({run_with("01_bass", 1, 1)}, {})), "the nearest kernel is 01_base");
}

TEST_F(ErrorFiles, RunsThatCannotBeComparedAreRefused) {
  const flash_steps::Run good = run_with("01_base", 1, 1);
  flash_steps::Run bad = good;
  bad.problem.seqlen = 512;
  expect_refused(written("shape.json", results_with({good, bad}, {})), "runs[1].problem has another shape or seed");
  bad = good;
  bad.problem.seed = 2;
  expect_refused(written("seed.json", results_with({good, bad}, {})), "runs[1].problem has another shape or seed");
  BaselineRun fa2 = fa2_of(1, 1);
  fa2.problem.batch = 2;
  expect_refused(written("fa2.json", results_with({good}, {fa2})), "baselines[0].problem has another shape or seed");
}

TEST_F(ErrorFiles, RunsThatAreWrongAreRefused) {
  flash_steps::Run wrong = run_with("01_base", 1, 1);
  wrong.validation.verdict = Verdict::wrong;
  expect_refused(written("wrong.json", results_with({wrong}, {})), "runs[0].validation.verdict is not right");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect_refused(written("rms.json", results_with({run_with("01_base", nan, 1)}, {})), "runs[0].validation.rms_error");
  expect_refused(written("max.json", results_with({run_with("01_base", 1, nan)}, {})),
                 "runs[0].validation.max_abs_error");
  expect_refused(written("sign.json", results_with({run_with("01_base", 1, -1)}, {})), "is not a number of 0 or more");
  expect_refused(written("fa2.json", results_with({run_with("01_base", 1, 1)}, {fa2_of(nan, 1)})),
                 "baselines[0].validation.rms_error");
}

TEST_F(ErrorFiles, TheRunnerShowsAFileOrPutsItIntoAPage) {
  const std::string file = written("errors.json", results_with({run_with("01_base", 1, 2)}, {fa2_of(1, 2)}));
  const auto [code, out, err] = run("--errors '" + file + "'");
  EXPECT_EQ(code, 0) << err;
  EXPECT_THAT(out, HasSubstr("| 01_base | 2 (1.00) |"));

  const std::string page = written("page.md", std::string("before\n<!-- errors -->\nold\n<!-- /errors -->\nafter\n"));
  const std::string update = "--errors '" + file + "' --update='" + page + "'";
  EXPECT_EQ(std::get<1>(run(update)), page + ": rewritten\n");
  EXPECT_EQ(content(page), "before\n<!-- errors -->\n" + out + "<!-- /errors -->\nafter\n");
  EXPECT_EQ(std::get<1>(run(update)), page + ": as it should be\n");
}

TEST_F(ErrorFiles, APageThatCannotBeUpdatedIsRefusedAndLeftAsItIs) {
  const std::string file = written("errors.json", results_with({run_with("01_base", 1, 2)}, {}));
  for (const char* text : {"text\n", "<!-- errors -->\n", "<!-- errrs -->\n<!-- /errors -->\n"}) {
    const std::string page = written("page.md", std::string(text));
    const auto [code, out, err] = run("--errors '" + file + "' --update='" + page + "'");
    EXPECT_EQ(code, 2);
    EXPECT_THAT(err, AllOf(HasSubstr(page), HasSubstr("errors -->")));
    EXPECT_EQ(content(page), text);
  }
  EXPECT_EQ(std::get<0>(run("--errors '" + file + "' --update='" + (folder_ / "absent.md").string() + "'")), 2);
}

TEST(ErrorOptions, OneFileMayFollow) {
  const auto parse = [](std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "runner");
    return parse_options(static_cast<int>(arguments.size()), arguments.data());
  };
  EXPECT_EQ(parse({"--errors", "a.json"}).mode, Mode::errors);
  EXPECT_THAT(parse({"--errors", "a.json", "--update=page.md"}).files, testing::ElementsAre("a.json"));
  EXPECT_THAT(parse({"--errors"}).files, IsEmpty());
  EXPECT_THROW(parse({"--errors", "a.json", "b.json"}), UsageError);
  EXPECT_THROW(parse({"--errors", "--table"}), UsageError);
  EXPECT_THROW(parse({"--errors", "--json=a.json"}), UsageError);
  EXPECT_THROW(parse({"--errors", "--update=page.md", "--kernel=01"}), UsageError);
}

// --- What the project claims -------------------------------------------------------------------------------------

class CommittedErrors : public testing::Test {
 protected:
  static fs::path file() { return stored_results() / "h100_errors.json"; }

  void SetUp() override {
    ASSERT_TRUE(fs::exists(file())) << file() << " is missing; docs/method/numerics.md says how to make it";
  }
};

TEST_F(CommittedErrors, CoverEveryStepTypeAndDistributionOnAnH100) {
  const ResultsFile errors = read_results_file(file());
  EXPECT_THAT(errors.results.device.name, HasSubstr("H100"));
  for (const flash_steps::Run& run : errors.results.runs) EXPECT_EQ(run.validation.reference, "fp64 on the GPU");
  const std::vector<ErrorTable> tables = error_tables(errors);
  ASSERT_THAT(tables, SizeIs(std::size(all_dtypes)));
  for (const ErrorTable& table : tables) {
    EXPECT_THAT(table.steps, SizeIs(of_chapter(sixteen).size()));
    for (const auto& [kernel, row] : table.steps) EXPECT_THAT(row, SizeIs(std::size(all_distributions))) << kernel;
    EXPECT_THAT(table.fa2, SizeIs(std::size(all_distributions)));
  }
}

TEST_F(CommittedErrors, AreAtMostOneAndAFifthTimesFlashAttention2s) {
  for (const ErrorTable& table : error_tables(read_results_file(file()))) {
    for (const auto& [kernel, row] : table.steps) {
      for (const auto& [inputs, error] : row) {
        const std::string what = kernel + ", " + name_of(table.dtype) + ", " + name_of(inputs);
        EXPECT_LE(error_ratio(error.rms, table.fa2.at(inputs).rms), error_ratio_aim) << "rms, " << what;
        EXPECT_LE(error_ratio(error.max_abs, table.fa2.at(inputs).max_abs), error_ratio_aim) << "largest, " << what;
      }
    }
  }
}

TEST_F(CommittedErrors, AreThoseOfThePage) {
  const fs::path page = fs::path(FLASH_STEPS_SOURCE_DIR) / "docs" / "method" / "numerics.md";
  const std::string text = content(page);
  const std::string table = render_errors(all_kernels(), read_results_file(file()));
  EXPECT_TRUE(with_blocks(text, page, {{"errors", [&](const auto&) { return table; }}}) == text)
      << "./runner --errors --update=docs/method/numerics.md would make them agree";
}

}  // namespace
}  // namespace flash_steps
