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
    mutants.push_back({text("kernel"), text("mistake"), text("verdict"), text("config"), text("problem"),
                       row["right_result"].get<bool>()});
  }
  return mutants;
}

std::string render_mutants(const std::vector<MutantOutcome>& mutants) {
  return table("mistake", mutants, &MutantOutcome::mistake, true);
}

std::string render_mutants_by_kernel(const std::vector<MutantOutcome>& mutants) {
  return table("kernel", mutants, &MutantOutcome::kernel, false);
}

std::vector<GpuMutant> read_gpu_mutants(const std::filesystem::path& file) {
  const JsonFile json(file, {"flash-steps/gpu-mutants/1"});
  std::vector<GpuMutant> mutants;
  for (const JsonNode& row : json.root()["mutants"].elements()) {
    GpuMutant mutant{row["kernel"].get<std::string>(), 0, "", {}};
    if (row.has("mistake")) {
      mutant.mistake = row["mistake"].get<std::string>();
      mutant.line = row["line"].get<int>();
    }
    for (const JsonNode& length : row["lengths"].elements()) {
      mutant.lengths.push_back(
          {length["seqlen"].get<int>(), length["launches"].get<int>(), length["wrong"].get<int>()});
    }
    mutants.push_back(mutant);
  }
  if (mutants.empty()) throw std::runtime_error(file.string() + ": mutants is empty");
  return mutants;
}

std::string render_gpu_mutants(const std::vector<GpuMutant>& mutants) {
  std::vector<std::string> head = {"kernel", "mistake", "line"};
  for (const GpuMutant::Length& length : mutants.front().lengths) {
    head.push_back("seqlen " + std::to_string(length.seqlen));
  }
  std::string text = markdown_head(head, 2);
  for (const GpuMutant& mutant : mutants) {
    const bool as_it_is = mutant.mistake.empty();
    std::vector<std::string> cells = {mutant.kernel, as_it_is ? "none" : mutant.mistake,
                                      as_it_is ? "" : std::to_string(mutant.line)};
    for (const GpuMutant::Length& length : mutant.lengths) cells.push_back(std::to_string(length.wrong));
    text += markdown_row(cells);
  }
  return text;
}

}  // namespace flash_steps
