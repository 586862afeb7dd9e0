#include "harness/pages/tables/checks/mutants.h"

#include <algorithm>
#include <stdexcept>

#include "harness/base/json.h"
#include "harness/pages/tables/markdown.h"

namespace flash_steps {
namespace {

std::string row_of(const std::string& name, const std::vector<MutantOutcome>& mutants, const auto& belongs) {
  const auto count = [&](const auto& is) {
    return std::to_string(
        std::count_if(mutants.begin(), mutants.end(), [&](const MutantOutcome& m) { return belongs(m) && is(m); }));
  };
  return markdown_row({name, count([](const auto&) { return true; }),
                       count([](const auto& m) { return m.verdict == "hazard"; }),
                       count([](const auto& m) { return m.verdict == "hazard" && m.right_result; }),
                       count([](const auto& m) { return m.verdict == "wrong_result"; }),
                       count([](const auto& m) { return m.verdict == "survived"; })});
}

std::string table(const std::string& what, const std::vector<MutantOutcome>& mutants,
                  std::string MutantOutcome::*member, bool with_all) {
  std::string text =
      markdown_head({what, "mutants", "by hazard", "of them with a right result", "by wrong result", "survived"}, 1);
  std::vector<std::string> names;  // in the order of the file
  for (const MutantOutcome& mutant : mutants) {
    if (std::find(names.begin(), names.end(), mutant.*member) == names.end()) names.push_back(mutant.*member);
  }
  for (const std::string& name : names) {
    text += row_of(name, mutants, [&](const MutantOutcome& mutant) { return mutant.*member == name; });
  }
  if (with_all) text += row_of("all", mutants, [](const MutantOutcome&) { return true; });
  return text;
}

}  // namespace

std::vector<MutantOutcome> read_mutants(const std::filesystem::path& file) {
  const JsonFile json(file, {"flash-steps/mutants/1"});
  std::vector<MutantOutcome> mutants;
  for (const JsonNode& row : json.root()["mutants"].elements()) {
    const auto text = [&](const char* key) { return row[key].get<std::string>(); };
    MutantOutcome mutant;
    mutant.kernel = text("kernel");
    mutant.mistake = text("mistake");
    mutant.verdict = text("verdict");
    mutant.line = row["line"].get<int>();
    mutant.before = text("before");
    mutant.after = text("after");
    mutant.code = text("code");
    if (mutant.verdict == "hazard" || mutant.verdict == "wrong_result") {
      mutant.config = text("config");
      mutant.problem = text("problem");
      mutant.report = text("report");
      mutant.right_result = row["right_result"].get<bool>();
    }
    mutants.push_back(mutant);
  }
  return mutants;
}

std::string render_mutants(const std::vector<MutantOutcome>& mutants) {
  return table("mistake", mutants, &MutantOutcome::mistake, true);
}

std::string render_mutants_by_kernel(const std::vector<MutantOutcome>& mutants) {
  return table("kernel", mutants, &MutantOutcome::kernel, false);
}

}  // namespace flash_steps
