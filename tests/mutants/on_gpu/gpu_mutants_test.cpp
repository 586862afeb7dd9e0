// Mutants on a GPU: what is kept of those that were compiled, and what the end of a process says. The processes here
// are stand-ins, so that no GPU is needed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>

#include "harness/pages/tables/checks/mutants.h"
#include "mutants/on_gpu/gpu_list.h"
#include "mutants/on_gpu/gpu_trial.h"
#include "mutants/on_gpu/ptxas.h"
#include "tests/support/temporary_folder.h"

namespace flash_steps::mutants {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

GpuTrial of_shell(const std::string& script, int seconds = 30) { return try_apart_for(seconds, {"sh", "-c", script}); }

std::string echo(const std::string& line) { return "echo '" + line + "'; "; }

const std::string device = echo(line_of_device("H100", "580.1"));
const std::string all_right = echo(line_of_count({4, 16, 256, 20, 0}));
const std::string some_wrong = echo(line_of_count({4, 16, 1024, 20, 3}));

TEST(GpuTrial, CountsTheWrongLaunches) {
  const GpuTrial right = of_shell(device + all_right);
  EXPECT_EQ(right.outcome, GpuOutcome::right);
  EXPECT_EQ(right.device, "H100");
  EXPECT_EQ(right.driver, "580.1");
  const GpuTrial wrong = of_shell(device + all_right + some_wrong);
  EXPECT_EQ(wrong.outcome, GpuOutcome::wrong);
  EXPECT_EQ(wrong.launches(), 40);
  EXPECT_EQ(wrong.wrong(), 3);
  EXPECT_EQ(wrong.counts.back().seqlen, 1024);
}

TEST(GpuTrial, ALaunchThatDoesNotEndIsHungAndTheCountsBeforeStay) {
  const GpuTrial trial = of_shell(device + all_right + "kill -ALRM $$");
  EXPECT_EQ(trial.outcome, GpuOutcome::hung);
  EXPECT_THAT(trial.counts, SizeIs(1));
}

TEST(GpuTrial, AnErrorIsSaidByTheProcess) {
  const GpuTrial trial = of_shell(device + all_right + echo(line_of_error("an illegal instruction (cudaErrorX)")));
  EXPECT_EQ(trial.outcome, GpuOutcome::error);
  EXPECT_EQ(trial.error, "an illegal instruction (cudaErrorX)");
  EXPECT_EQ(trial.launches(), 20);
}

TEST(GpuTrial, AProcessThatEndsOtherwiseSaysNothing) {
  const GpuTrial refused = of_shell("echo 'this machine has no NVIDIA driver' >&2; exit 3");
  EXPECT_EQ(refused.outcome, GpuOutcome::failed);
  EXPECT_EQ(refused.error, "this machine has no NVIDIA driver");
  EXPECT_EQ(of_shell(device + all_right + "kill -SEGV $$").outcome, GpuOutcome::failed);
  EXPECT_EQ(of_shell("true").outcome, GpuOutcome::failed);
  EXPECT_EQ(of_shell("echo '{\"seqlen\":'").outcome, GpuOutcome::failed);
}

TEST(GpuTrial, AProcessThatSleepsIsEnded) {
  const auto begin = std::chrono::steady_clock::now();
  const GpuTrial trial = of_shell("exec sleep 600", 1);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(300));
  EXPECT_EQ(trial.outcome, GpuOutcome::failed);
  EXPECT_EQ(trial.error, "it did not end within 1 s");
}

TEST(PtxasMessages, AreToldOnceAndWithoutPlaces) {
  EXPECT_THAT(
      ptxas_messages("ptxas info    : (C7519) warpgroup.arrive is injected in around line 178 by compiler to allow use "
                     "of registers in GMMA in function '_Z1aILb0E'\n"
                     "ptxas info    : (C7519) warpgroup.arrive is injected in around line 9 by compiler to allow use "
                     "of registers in GMMA in function '_Z1aILb1E'\n"
                     "ptxas info    : (C7514) Potential Performance Loss: wgmma.mma_async instructions are serialized "
                     "due to such in the function '_Z1b'\n"),
      ElementsAre("C7519: warpgroup.arrive is injected by compiler to allow use of registers in GMMA",
                  "C7514: Potential Performance Loss: wgmma.mma_async instructions are serialized due to such"));
}

TEST(PtxasMessages, KnowARefusalAndLeaveOutWhatOthersSay) {
  const auto messages = ptxas_messages(
      "a.cu(3): warning #177-D: variable \"x\" was declared but never referenced\n"
      "ptxas /tmp/a.ptx, line 129; error   : Argument 1 of instruction 'setmaxnreg.inc': unexpected value '244', "
      "expected to be multiple of 8\n"
      "ptxas fatal   : Ptx assembly aborted due to errors\n");
  EXPECT_THAT(messages, ElementsAre("error: Argument 1 of instruction 'setmaxnreg.inc': unexpected value '244', "
                                    "expected to be multiple of 8"));
  EXPECT_EQ(code_of_message(messages[0]), "error");
  EXPECT_EQ(code_of_message("C7519: warpgroup.arrive is injected"), "C7519");
  EXPECT_EQ(code_of_message("Function properties"), "");
}

BuiltMutant built(const std::string& after, const std::vector<std::string>& messages) {
  return {"27_next_tile",       "c0de",  "fence-removed", 7,
          "fence();",           after,   "128x128",       "01_27_next_tile~fence-removed@7",
          "27_next_tile_01.so", messages};
}

class GpuMutants : public InTemporaryFolder {
 protected:
  // Of a run with these rows, beside what the emulator said of line 7.
  std::string rendered(const std::vector<Json>& rows) const {
    written("mutants.json", R"({"schema": "flash-steps/mutants/1", "mutants": [
      {"kernel": "27_next_tile", "line": 7, "mistake": "fence-removed", "before": "fence();  // why", "after": ";  // why",
       "verdict": "hazard", "code": "c0de", "right_result": true, "config": "128x128", "problem": "", "report": "it"},
      {"kernel": "27_next_tile", "line": 7, "mistake": "fence-removed", "before": "fence();", "after": "a || b;",
       "verdict": "hazard", "code": "c0de", "right_result": false, "config": "128x128", "problem": "",
       "report": "CTA 0: deadlock: warp 0 waits"}]})");
    written("gpu_mutants.json", R"({"schema": "flash-steps/gpu-mutants/1", "device": "H100", "mutants": [)" +
                                    json_lines(rows, [](const Json& row) { return row; }) + "]}");
    return render_mutants_on_both(folder_);
  }
};

TEST_F(GpuMutants, AListIsReadAsItWasWritten) {
  Meta meta;
  meta.git = "abc";
  meta.dirty = false;
  write_gpu_list({built(";", {"C7519: it"}), built("x", {})}, meta, folder_);
  const GpuList list = read_gpu_list(folder_);
  EXPECT_EQ(list.git, "abc");
  EXPECT_EQ(list.dirty, false);
  ASSERT_THAT(list.mutants, SizeIs(2));
  EXPECT_EQ(list.mutants[0].name, "01_27_next_tile~fence-removed@7");
  EXPECT_EQ(list.mutants[0].library, "27_next_tile_01.so");
  EXPECT_THAT(list.mutants[0].messages, ElementsAre("C7519: it"));
  EXPECT_EQ(list.mutants[1].after, "x");
  EXPECT_FALSE(list.mutants[1].is_control());
}

TEST_F(GpuMutants, ARowIsReadWithItsOutcome) {
  rendered({row_of_gpu_mutant(built(";  // why", {"C7519: it"}), of_shell(device + all_right + "kill -ALRM $$"))});
  const GpuMutant mutant = read_gpu_mutants(folder_ / "gpu_mutants.json").at(0);
  EXPECT_EQ(mutant.outcome, "hung");
  EXPECT_EQ(mutant.after, ";  // why");
  EXPECT_EQ(mutant.line, 7);
  EXPECT_THAT(mutant.ptxas, ElementsAre("C7519: it"));
  ASSERT_THAT(mutant.lengths, SizeIs(1));
  EXPECT_EQ(mutant.lengths[0].launches, 20);
}

TEST_F(GpuMutants, ARowOfCountsAloneIsReadToo) {
  rendered({Json::parse(R"({"kernel": "01_base", "lengths": [{"seqlen": 256, "launches": 20, "wrong": 1}]})"),
            Json::parse(R"({"kernel": "01_base", "lengths": [{"seqlen": 256, "launches": 20, "wrong": 0}]})")});
  const auto mutants = read_gpu_mutants(folder_ / "gpu_mutants.json");
  EXPECT_EQ(mutants.at(0).outcome, "wrong");
  EXPECT_EQ(mutants.at(1).outcome, "right");
}

TEST_F(GpuMutants, ThePageShowsWhatEachOfThreeSays) {
  BuiltMutant control = built("", {});
  control.mistake.clear();
  const std::string page = rendered(
      {row_of_gpu_mutant(control, of_shell(device + all_right)),
       row_of_gpu_mutant(built(";  // why", {"C7519: it"}), of_shell(device + some_wrong)),
       row_of_gpu_mutant(built("a || b;", {}), of_shell(device + all_right + "kill -ALRM $$")),
       row_of_gpu_mutant(built("a || b;", {}), of_shell(device + echo(line_of_error("it (cudaErrorAssert); more"))))});
  EXPECT_THAT(page, HasSubstr("| none |  | 27_next_tile as it is | right | — | right in 20 |\n"));
  EXPECT_THAT(page,
              HasSubstr("| fence-removed | 7 | `fence();` gone | hazard, output right | C7519 | wrong in 3 of 20 |"));
  EXPECT_THAT(page, HasSubstr(R"(| `a \|\| b;` | deadlock | — | hung, 0 of 20 before wrong |)"));
  EXPECT_THAT(page, HasSubstr("| cudaErrorAssert |"));
  EXPECT_THAT(page, HasSubstr("Of 3 mutants ptxas refuses 0 and says something of 1 others; an H100 shows 1 by a wrong "
                              "output, 1 by a launch that does not end and 1 by an error, and is right in all launches "
                              "of 0."));
  EXPECT_THAT(page, HasSubstr("\n* C7519: it\n"));
}

TEST_F(GpuMutants, ThePageOfAChapterThatNoGpuHasRunSaysSo) {
  EXPECT_THAT(render_mutants_on_both(folder_), HasSubstr("not been run on a GPU yet"));
}

TEST_F(GpuMutants, OneThatTheEmulatorWasNotGivenIsRefused) {
  EXPECT_THROW(rendered({row_of_gpu_mutant(built("else", {}), of_shell(device + all_right))}), std::runtime_error);
}

}  // namespace
}  // namespace flash_steps::mutants
