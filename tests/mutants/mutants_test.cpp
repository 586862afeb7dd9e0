// The mutants' catalogue, and what docs/results says became of them. That each is noticed is tested by the program
// mutants itself: ctest -L mutants, and docs/method/mutants.md.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "harness/base/process.h"
#include "harness/base/text.h"
#include "harness/contract/problem.h"
#include "harness/contract/registry.h"
#include "harness/contract/source.h"
#include "mutants/catalogue/catalogue.h"
#include "mutants/equivalent.h"
#include "mutants/outcome.h"
#include "mutants/translation_unit.h"
#include "tests/support/content.h"

namespace flash_steps::mutants {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const fs::path root = FLASH_STEPS_SOURCE_DIR;

std::map<std::string, std::string> kernel_texts() {
  std::map<std::string, std::string> texts;
  for (const auto& entry : fs::directory_iterator(root / "kernels")) {
    if (entry.path().extension() == ".cu") texts[entry.path().stem()] = content(entry.path());
  }
  return texts;
}

std::string text_of(const std::string& kernel) { return kernel_texts().at(kernel); }

std::vector<Mutant> mutants_of(const std::string& kernel, const std::string& text, const std::string& mistake) {
  std::vector<Mutant> mutants = mutants::mutants_of(kernel, text);
  std::erase_if(mutants, [&](const Mutant& mutant) { return mutant.mistake != mistake; });
  return mutants;
}

std::vector<std::string> changes(const std::vector<Mutant>& mutants) {
  std::vector<std::string> list;
  for (const Mutant& mutant : mutants) list.push_back(mutant.before + " -> " + mutant.after);
  return list;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string refusal_of(const std::string& kernel, const std::string& text) {
  try {
    mutants::mutants_of(kernel, text);
  } catch (const CatalogueError& error) {
    return error.what();
  }
  return "";
}

TEST(MutantCatalogue, MakesEveryMistakeInEveryKernel) {
  // Those from there on are made in other chapters, or in kernels with Hopper's instructions.
  const std::set<std::string> all(mistakes().begin(), std::find(mistakes().begin(), mistakes().end(), "parity-wrong"));
  for (const auto& [kernel, text] : kernel_texts()) {
    std::set<std::string> made;
    for (const Mutant& mutant : mutants::mutants_of(kernel, text)) made.insert(mutant.mistake);
    // From 10 on no maximum is there before the first block.
    if (kernel >= "10") made.insert("max-starts-at-0");
    if (kernel < "17") made.insert("growth-missed");
    EXPECT_EQ(made, all) << kernel;
  }
}

TEST(MutantCatalogue, FitsTheVariants) {
  const std::set<std::string> of_all{"row-beyond-the-end", "mask-off-by-one", "mask-in-other-block", "wait-removed",
                                     "barrier-removed",    "offset-32-bit",   "swizzle-one-side",    "smem-bytes"};
  for (const Kernel* kernel : of_chapter("variants")) {
    const std::string text = content(kernel->source_file);
    std::set<std::string> made, texts{text};
    for (const Mutant& mutant : mutants::mutants_of(kernel->name, text)) {
      made.insert(mutant.mistake);
      EXPECT_TRUE(texts.insert(mutant.text).second) << describe(mutant) << ": " << mutant.after;
    }
    EXPECT_TRUE(std::includes(made.begin(), made.end(), of_all.begin(), of_all.end())) << kernel->name;
  }
}

TEST(MutantCatalogue, AMutantDiffersInTheOneLineThatItNames) {
  for (const auto& [kernel, text] : kernel_texts()) {
    const std::vector<std::string> lines = split(text, '\n');
    for (const Mutant& mutant : mutants::mutants_of(kernel, text)) {
      const std::vector<std::string> mutated = split(mutant.text, '\n');
      ASSERT_EQ(mutated.size(), lines.size());
      for (size_t i = 0; i < lines.size(); i++) {
        EXPECT_EQ(mutated[i] != lines[i], static_cast<int>(i) + 1 == mutant.line) << describe(mutant);
      }
      EXPECT_THAT(lines[mutant.line - 1], HasSubstr(mutant.before));
      EXPECT_THAT(mutated[mutant.line - 1], HasSubstr(mutant.after));
    }
  }
}

TEST(MutantCatalogue, NoTwoMutantsAreTheSame) {
  for (const auto& [kernel, text] : kernel_texts()) {
    std::set<std::string> texts{text};
    for (const Mutant& mutant : mutants::mutants_of(kernel, text)) {
      EXPECT_TRUE(texts.insert(mutant.text).second) << describe(mutant) << ": " << mutant.after;
    }
  }
}

TEST(MutantCatalogue, FindsEveryWaitBarrierAndCommitAndNoComment) {
  std::string text = text_of("01_base");
  text =
      replaced(text, "  warp_barrier();", "  // barrier(); cp_async_commit(); cp_async_wait<0>();\n  warp_barrier();");
  const auto count = [&](const std::string& mistake) { return mutants_of("01_base", text, mistake).size(); };
  EXPECT_EQ(count("wait-weakened"), 3u);
  EXPECT_EQ(count("wait-removed"), 3u);
  EXPECT_EQ(count("barrier-weakened"), 3u);
  EXPECT_EQ(count("barrier-removed"), 4u);
  EXPECT_EQ(count("commit-removed"), 3u);
  text = replaced(text, "cp_async_wait<0>();", "cp_async_wait<12>();");
  EXPECT_EQ(mutants_of("01_base", text, "wait-weakened").front().after, "cp_async_wait<13>();");
}

TEST(MutantCatalogue, UndoesTheSwizzleOfOnePlaceAtATime) {
  const auto changed = changes(mutants_of("02_swizzling", text_of("02_swizzling"), "swizzle-one-side"));
  EXPECT_THAT(changed, SizeIs(5));
  EXPECT_THAT(changed.back(), HasSubstr("smem_offset(row, (chunk) ^ (row) % 8)"));
}

TEST(MutantCatalogue, SaysWhichTextAKernelLacks) {
  const std::string text = replaced(text_of("05_double_buffering"), "pack2<T>(p0, p1)", "pack2<T>(low, high)");
  EXPECT_THAT(refusal_of("05_double_buffering", text),
              AllOf(HasSubstr("05_double_buffering.cu"), HasSubstr("pack2<T>(p0, p1)"), HasSubstr("p-order"),
                    HasSubstr("is not there")));
}

TEST(MutantCatalogue, SaysWhichTextAKernelHasThatItShouldNotHave) {
  EXPECT_THAT(
      refusal_of("07_integer_ops", text_of("08_integer_ops")),
      AllOf(HasSubstr("07_integer_ops.cu"), HasSubstr("from_smem ^ dim_frag"), HasSubstr("kernels 8 to 18, is there")));
}

TEST(MutantCatalogue, SaysWhichWordAKernelLacks) {
  std::string text = text_of("01_base");
  for (size_t at; (at = text.find("cp_async_commit();")) != std::string::npos;) text.erase(at, 18);
  EXPECT_THAT(refusal_of("01_base", text), AllOf(HasSubstr("01_base.cu"), HasSubstr("commit-removed")));
}

TEST(MutantTranslationUnit, GivesEachMutantANameANamespaceAndTheLinesOfItsKernel) {
  const std::vector<Mutant> barriers = mutants_of("03_eager_loads", text_of("03_eager_loads"), "barrier-removed");
  const std::string unit = translation_unit(barriers, 9);
  EXPECT_THAT(unit,
              AllOf(HasSubstr("#line 1 \"09_03_eager_loads~barrier-removed@"), HasSubstr("namespace mutant_9 {"),
                    HasSubstr("#line 1 \"10_03_eager_loads~barrier-removed@"), HasSubstr("namespace mutant_10 {")));
  EXPECT_EQ(kernel_of(registered_name(17, barriers[0])), "03_eager_loads");
  EXPECT_EQ(kernel_of(registered_name(0, control_of("03_eager_loads", ""))), "03_eager_loads");
  EXPECT_EQ(mistake_of(registered_name(17, barriers[0])), std::pair(barriers[0].mistake, barriers[0].line));
  EXPECT_EQ(mistake_of("00_03_eager_loads"), std::pair(std::string(), 0));
  EXPECT_THROW(registered_name(100, barriers[0]), std::invalid_argument);
}

Outcome outcome(const Mutant& mutant, Verdict verdict) { return {mutant, {verdict, true, "", "", "it was noticed"}}; }

TEST(MutantOutcomes, ComplainOfSurvivorsOfMutantsWithoutVerdictAndOfKernelsThatAreWrong) {
  const Mutant mutant{"01_base", "barrier-removed", 7, "barrier();", ";", ""};
  const Mutant control = control_of("01_base", "");
  EXPECT_THAT(complaints({outcome(mutant, Verdict::hazard), outcome(mutant, Verdict::wrong_result),
                          outcome(control, Verdict::survived)},
                         {}),
              IsEmpty());
  EXPECT_THAT(complaints({outcome(mutant, Verdict::survived)}, {}),
              ElementsAre(HasSubstr("barrier-removed at 01_base.cu:7 survived")));
  EXPECT_THAT(complaints({outcome(mutant, Verdict::failed)}, {}),
              ElementsAre(HasSubstr("has no verdict: it was noticed")));
  EXPECT_THAT(complaints({outcome(control, Verdict::hazard)}, {}), ElementsAre(HasSubstr("01_base.cu as it is")));
}

TEST(MutantOutcomes, ComplainOfMutantsThatAreListedAsEquivalentAndAreNot) {
  const std::string text = "\n\n\n\n\n\n;\n  store();\n;\n  load();\n";
  const Mutant mutant{"01_base", "barrier-removed", 7, "barrier();", ";", text};
  const Mutant elsewhere{"02_swizzling", "barrier-removed", 7, "barrier();", ";", text};
  const Mutant further_on{"01_base", "barrier-removed", 9, "barrier();", ";", text};
  const std::vector<Equivalent> list{{"01_base", "barrier-removed", "barrier();", ";", "store();", "Nobody reads."}};
  EXPECT_THAT(complaints({outcome(mutant, Verdict::survived)}, list), IsEmpty());
  EXPECT_THAT(complaints({outcome(mutant, Verdict::hazard)}, list),
              ElementsAre(HasSubstr("01_base.cu:7 is listed as equivalent")));
  EXPECT_THAT(complaints({outcome(mutant, Verdict::failed)}, list), SizeIs(1));
  EXPECT_THAT(complaints({outcome(elsewhere, Verdict::survived)}, list), SizeIs(1));
  EXPECT_THAT(complaints({outcome(further_on, Verdict::survived)}, list), SizeIs(1));
  EXPECT_THAT(complaints({outcome(further_on, Verdict::hazard)}, list), IsEmpty());
}

TEST(MutantsProgram, RefusesWhatItDoesNotKnowWithExitCode2) {
  const auto exit_code = [](const std::string& argument) {
    return run_process({FLASH_STEPS_MUTANTS, argument})->exit_code;
  };
  EXPECT_EQ(exit_code("--help"), 0);
  EXPECT_EQ(exit_code("--kernel=99"), 2);
  EXPECT_EQ(exit_code("--mistake=barrier,typo"), 2);
  EXPECT_EQ(exit_code("--mistake=barrier,,wait"), 2);
  EXPECT_EQ(exit_code("--json=no_such_folder/x.json"), 2);
  EXPECT_EQ(exit_code("--gpu=no_such_folder"), 2);
  EXPECT_EQ(exit_code("--mistakes=wait"), 2);
}

class MutantResults : public testing::TestWithParam<std::string> {};

// What the command on docs/method/mutants.md wrote for a chapter, against what the catalogue makes of the kernels as
// they are now: lines may have moved, but no mutant may be missing.
TEST_P(MutantResults, AreOfTheseKernelsAndLeaveNoSurvivorUnexplained) {
  const auto json = nlohmann::json::parse(content(root / "docs/results" / GetParam() / "mutants.json"));
  EXPECT_EQ(json.at("schema"), "flash-steps/mutants/1");
  std::multiset<std::vector<std::string>> in_file;
  for (const auto& row : json.at("mutants")) {
    const auto text = [&row = row](const char* key) { return row.at(key).get<std::string>(); };
    in_file.insert({text("kernel"), text("mistake"), text("before"), text("after")});
    const std::string verdict = row.at("verdict");
    EXPECT_TRUE(verdict == "hazard" || verdict == "wrong_result" || row.contains("equivalent")) << row;
  }
  EXPECT_GE(in_file.size(), 100u);

  std::multiset<std::vector<std::string>> in_kernels;
  for (const Kernel* kernel : of_chapter(GetParam().empty() ? sixteen : GetParam())) {
    for (const Mutant& m : mutants::mutants_of(kernel->name, content(find_source(*kernel).value()))) {
      in_kernels.insert({m.kernel, m.mistake, m.before, m.after});
    }
  }
  EXPECT_EQ(in_file, in_kernels) << "the kernels have changed since: build/emulator/tests/mutants/mutants "
                                    "--json=… writes the file anew";
}

INSTANTIATE_TEST_SUITE_P(Chapters, MutantResults, testing::Values("", "primer", "beyond"),
                         [](const auto& info) { return info.param.empty() ? "the_sixteen" : info.param; });

}  // namespace
}  // namespace flash_steps::mutants
