// docs/method/evidence.md rests on files that runs on a GPU wrote: they are complete, and what can be counted again
// here is counted again.
#include "harness/pages/tables/checks/evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "harness/base/text.h"
#include "harness/contract/chapter.h"
#include "harness/contract/registry.h"
#include "harness/machine/machine.h"
#include "harness/pages/tables/times/ladder.h"
#include "harness/results/folder.h"
#include "harness/results/read.h"
#include "harness/results/sweeps.h"
#include "harness/results/write.h"
#include "tests/support/content.h"
#include "tests/support/pages.h"
#include "tests/support/sweeps.h"
#include "tests/support/temporary_folder.h"

namespace flash_steps {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

nlohmann::json stored(const std::string& name) { return nlohmann::json::parse(content(stored_results() / name)); }

const AccessCounters& kind_of(const Counters& counters, const std::string& kind) {
  const std::map<std::string, const AccessCounters*> kinds = {
      {"ldmatrix", &counters.ldmatrix},       {"cp_async", &counters.cp_async},
      {"shared_load", &counters.shared_load}, {"shared_store", &counters.shared_store},
      {"global_load", &counters.global_load}, {"global_store", &counters.global_store}};
  return *kinds.at(kind);
}

// "ldmatrix.wavefronts+cp_async.wavefronts"
uint64_t value_of(const Counters& counters, const std::string& name) {
  uint64_t sum = 0;
  for (const std::string& part : split(name, '+')) {
    if (part == "mma.instructions") {
      sum += counters.mma_instructions;
      continue;
    }
    const std::vector<std::string> words = split(part, '.');
    const AccessCounters& kind = kind_of(counters, words.at(0));
    const std::map<std::string, uint64_t> fields = {{"instructions", kind.instructions},
                                                    {"wavefronts", kind.wavefronts},
                                                    {"ideal_wavefronts", kind.ideal_wavefronts},
                                                    {"bank_conflicts", kind.bank_conflicts()},
                                                    {"sectors", kind.sectors}};
    sum += fields.at(words.at(1));
  }
  return sum;
}

// As compare_counters.sh runs it: the first config in the type, with one head.
Counters counted_here(Machine& emulator, const Kernel& kernel, Dtype dtype, int seqlen) {
  for (const Variant& variant : kernel.emulator()) {
    if (variant.dtype != dtype || (variant.tile.heads != 0 && variant.tile.heads != 1)) continue;
    emulator.load({.seqlen = seqlen, .dtype = dtype}, false);
    emulator.launch(variant);
    return emulator.observer()->observation().counters;
  }
  throw std::runtime_error(kernel.name + " has no variant of one head");
}

class Evidence : public testing::TestWithParam<const char*> {};

TEST_P(Evidence, TheHardwaresCountersAreCountedAgainOnTheEmulator) {
  constexpr int seqlen = 128;                  // the shorter one of the script's
  std::map<std::string, nlohmann::json> rows;  // by counter
  const nlohmann::json list = stored("h100_counters.json").at("comparisons");
  for (const nlohmann::json& row : list) {
    if (row.at("kernel") != GetParam() || row.at("seqlen") != seqlen) continue;
    rows[row.at("dtype").get<std::string>() + " " + row.at("counter").get<std::string>()] = row;
  }
  EXPECT_THAT(rows, SizeIs(2 * 12)) << "scripts/compare_counters.sh would compare them";

  const std::unique_ptr<Machine> emulator = make_emulator();
  for (const Dtype dtype : all_dtypes) {
    const Counters counters = counted_here(*emulator, *find_kernel(GetParam()), dtype, seqlen);
    for (const auto& [name, row] : rows) {
      if (row.at("dtype") != name_of(dtype)) continue;
      EXPECT_EQ(row.at("hardware"), value_of(counters, row.at("counter"))) << row;
    }
  }
}

std::vector<const char*> names_of_the_sixteen() {
  std::vector<const char*> names;
  for (const Kernel* kernel : of_chapter(sixteen)) names.push_back(kernel->name.c_str());
  return names;
}

INSTANTIATE_TEST_SUITE_P(, Evidence, testing::ValuesIn(names_of_the_sixteen()),
                         [](const auto& info) { return "Of" + std::string(info.param); });

TEST(EvidenceFiles, ComputeSanitizerSawEveryStepAndReportsNothing) {
  for (const std::string chapter_name : {sixteen, "primer", "beyond"}) {
    std::set<std::string> launches;
    const nlohmann::json list =
        stored((std::filesystem::path(chapter(chapter_name).folder) / "h100_sanitizers.json").string()).at("runs");
    for (const nlohmann::json& run : list) {
      EXPECT_EQ(run.at("reports"), 0) << run;
      launches.insert(run.at("kernel").get<std::string>() + run.at("dtype").get<std::string>() +
                      run.at("tool").get<std::string>());
    }
    EXPECT_THAT(launches, SizeIs(of_chapter(chapter_name).size() * 2 * 4)) << chapter_name;
  }
}

TEST(EvidenceFiles, TheGpuGaveTheSameBitsEachTime) {
  std::set<std::string> repeated;
  for (const flash_steps::Run& run : read_results(stored_results() / "h100_determinism.json").runs) {
    ASSERT_TRUE(run.determinism);
    EXPECT_GE(run.determinism->repeats, 250) << run.kernel;
    EXPECT_TRUE(run.determinism->bit_equal) << run.kernel << " " << run.config;
    repeated.insert(run.kernel);
  }
  EXPECT_THAT(repeated, SizeIs(of_chapter(sixteen).size()));
}

TEST(EvidenceFiles, TheMutantsOnTheGpuStandBesideTheKernelsAsTheyAre) {
  std::set<std::string> as_they_are, mutated;
  const nlohmann::json list = stored("gpu_mutants.json").at("mutants");
  for (const nlohmann::json& mutant : list) {
    const bool is_mutant = mutant.contains("mistake");
    (is_mutant ? mutated : as_they_are).insert(mutant.at("kernel"));
    if (!is_mutant) {
      EXPECT_EQ(mutant.at("wrong"), 0) << mutant;
    }
  }
  EXPECT_EQ(mutated, as_they_are);
}

// docs/01_base.md and docs/03_eager_loads.md say so of these lines.
TEST(EvidenceFiles, OnTheGpuAllMistakesOf01ShowButTheLastBarrier) {
  const nlohmann::json list = stored("gpu_mutants.json").at("mutants");
  int last_line = 0;
  for (const nlohmann::json& mutant : list) {
    if (mutant.at("kernel") == "01_base" && mutant.contains("line"))
      last_line = std::max(last_line, mutant.at("line").get<int>());
  }
  for (const nlohmann::json& mutant : list) {
    if (mutant.at("kernel") != "01_base" || !mutant.contains("line")) continue;
    const bool is_last = mutant.at("line") == last_line;
    for (const nlohmann::json& length : mutant.at("lengths")) {
      EXPECT_EQ(length.at("wrong"), is_last ? nlohmann::json(0) : length.at("launches")) << mutant;
    }
  }
}

// docs/16_static_stride.md names the steps that carry the ladder; 16 gains over 15's loss.
TEST(EvidenceFiles, TheStepsThatCarryTheLadderAreThoseThatThePageNames) {
  const Published published = read_published();
  const std::vector<ResultsFile> files = {read_results_file(stored_results() / "h100.json")};
  const std::vector<Sweep> sweeps = sweeps_of(files, published);
  std::vector<std::pair<double, std::string>> gains;
  for (const Kernel* step : of_chapter(sixteen)) {
    const Kernel* const before = step_before(*step);
    const auto from = before == nullptr ? std::nullopt : percent_at(sweeps.front(), before->name, table_seqlen);
    if (from && step != of_chapter(sixteen).back()) {
      gains.emplace_back(*percent_at(sweeps.front(), step->name, table_seqlen) - *from, step->label());
    }
  }
  std::sort(gains.rbegin(), gains.rend());
  std::set<std::string> most;
  for (size_t i = 0; i < 4; i++) most.insert(gains.at(i).second);
  EXPECT_THAT(most, testing::ElementsAre("02", "07", "08", "09"));
}

using Figures = InTemporaryFolder;

TEST_F(Figures, AreOfTheFilesThatTheyNameAndOthersAreRefused) {
  written("mutants.json", R"({"schema": "flash-steps/mutants/1", "mutants": [
      {"kernel": "01_base", "mistake": "wait-removed", "line": 1, "before": "a", "after": "b", "code": "00",
       "verdict": "hazard", "right_result": true, "config": "a", "problem": "normal inputs", "report": "c"},
      {"kernel": "01_base", "mistake": "p-order", "line": 2, "before": "a", "after": "b", "code": "00",
       "verdict": "survived"}]})");
  EXPECT_EQ(render_figure("mutants", folder_), "2 mutants, 1 survive");
  EXPECT_EQ(render_figure("mutants-of-synchronisation", folder_),
            "Of the 1 mutants of waits, barriers and commits, 1 compute the right output");
  EXPECT_THROW(render_figure("mutant", folder_), std::invalid_argument);
  EXPECT_THROW(render_figure("counters", folder_), std::runtime_error);
}

TEST_F(Figures, OfTheCeilingsAndTheVotesAreOfTheChapterBeyond) {
  std::filesystem::create_directories(folder_ / "beyond");
  written("beyond/h100_ceilings.json", R"({"schema": "flash-steps/ceilings/1", "ceilings": [
      {"instruction": "mma.m16n8k16", "left_operand": "registers", "cycles": null, "tflops": 650, "held_tflops": 640},
      {"instruction": "wgmma.m64n128k16", "left_operand": "shared memory", "cycles": 64, "tflops": 900,
       "held_tflops": 700.4},
      {"instruction": "wgmma.m64n128k16", "left_operand": "registers", "cycles": 64, "tflops": 910,
       "held_tflops": 710}]})");
  EXPECT_EQ(render_figure("wgmma-ceiling", folder_),
            "700 TFLOP/s with A in shared memory and 710 TFLOP/s with A in registers");

  // At a clock of 1000 MHz 132 SMs make 4096 FLOP a cycle and SM, 540.7 TFLOP/s, by wgmma alone.
  Results sweep = results_of({run_of(of_chapter("beyond").back()->name, {4096, 270.3, 200})});
  sweep.device.sm_count = 132;
  sweep.runs.front().timing->state.sm_clock_mhz = 1000;
  write_results(sweep, folder_ / "beyond" / "h100.json");
  EXPECT_EQ(render_figure("of-wgmma", folder_), "50 %");

  const auto votes = [&](const std::string& others) {
    written("beyond/h100_votes.json", R"({"schema": "flash-steps/vote-comparison/1", "votes": [
        {"kernel": "17_lazy_rescale", "votes_won": 0, "hardware_for_each_won": null},
        {"kernel": "17_lazy_rescale", "votes_won": 109, "hardware_for_each_won": 4224},
        {"kernel": "17_lazy_rescale", "votes_won": 40, "hardware_for_each_won": )" +
                                          others + "}]}");
    return render_figure("votes", folder_);
  };
  EXPECT_EQ(votes("4224"), "149 votes won in 1 kernels, on an H100 as many in all but 0 of them");
  EXPECT_EQ(votes("4096"), "149 votes won in 1 kernels, on an H100 as many in all but 1 of them");
}

TEST_F(Figures, EveryOneIsShownSomewhere) {
  std::string pages;
  for (const auto& page : all_pages()) pages += content(page);
  for (const std::string& figure : figures()) EXPECT_THAT(pages, HasSubstr("<!-- figure " + figure + " -->"));
}

}  // namespace
}  // namespace flash_steps
