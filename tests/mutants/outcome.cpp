#include "mutants/outcome.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>
#include <ostream>

#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/base/text.h"
#include "harness/contract/registry.h"
#include "harness/results/freshness.h"
#include "harness/results/write.h"

namespace flash_steps::mutants {
namespace {

bool is_killed(const Trial& trial) {
  return trial.verdict == Verdict::hazard || trial.verdict == Verdict::wrong_result;
}

// Of one mistake, or of one kernel.
struct Row {
  std::string name;
  int mutants = 0;
  int hazards = 0;
  int right_with_hazard = 0;
  int wrong_results = 0;
  int survived = 0;

  void add(const Trial& trial) {
    mutants++;
    hazards += trial.verdict == Verdict::hazard;
    right_with_hazard += trial.verdict == Verdict::hazard && trial.right_result;
    wrong_results += trial.verdict == Verdict::wrong_result;
    survived += !is_killed(trial);
  }
};

std::vector<Row> rows_by(const std::vector<Outcome>& outcomes, const std::string Mutant::*name) {
  std::vector<Row> rows;
  for (const Outcome& outcome : outcomes) {
    if (outcome.mutant.is_control()) continue;
    auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.name == outcome.mutant.*name; });
    if (row == rows.end()) row = rows.insert(rows.end(), Row{outcome.mutant.*name});
    row->add(outcome.trial);
  }
  return rows;
}

void print_line(std::ostream& out, const std::string& name, const std::array<std::string, 5>& columns) {
  out << pad_right(name, 20);
  for (const std::string& column : columns) out << pad_left(column, 17);
  out << "\n";
}

void print_rows(std::ostream& out, const std::string& heading, const std::vector<Row>& rows) {
  print_line(out, heading, {"mutants", "by hazard", "(result right)", "by wrong result", "survived"});
  for (const Row& row : rows) {
    print_line(out, row.name,
               {std::to_string(row.mutants), std::to_string(row.hazards), std::to_string(row.right_with_hazard),
                std::to_string(row.wrong_results), std::to_string(row.survived)});
  }
}

nlohmann::ordered_json row_json(const Outcome& outcome) {
  const auto& [mutant, trial] = outcome;
  nlohmann::ordered_json json = {{"kernel", mutant.kernel},   {"line", mutant.line},
                                 {"mistake", mutant.mistake}, {"before", mutant.before},
                                 {"after", mutant.after},     {"verdict", name_of(trial.verdict)}};
  if (const Kernel* const kernel = find_kernel(mutant.kernel)) json["code"] = code_hash(*kernel);
  if (is_killed(trial)) {
    json["right_result"] = trial.right_result;
    json["config"] = trial.config;
    json["problem"] = trial.problem;
    json["report"] = trial.report;
  }
  const Equivalent* const equivalent = find_equivalent(mutant, equivalents());
  if (equivalent != nullptr) json["equivalent"] = equivalent->reason;
  return json;
}

}  // namespace

std::vector<std::string> complaints(const std::vector<Outcome>& outcomes, const std::vector<Equivalent>& equivalents) {
  std::vector<std::string> list;
  for (const auto& [mutant, trial] : outcomes) {
    const bool killed = is_killed(trial);
    const bool equivalent = find_equivalent(mutant, equivalents) != nullptr;
    const std::string change = " (\"" + mutant.before + "\" became \"" + mutant.after + "\")";
    if (trial.verdict == Verdict::failed) {
      list.push_back(describe(mutant) + " has no verdict: " + trial.report);
    } else if (mutant.is_control() && killed) {
      list.push_back(describe(mutant) + " is not found right, so that no mutant says anything: " + trial.report);
    } else if (!mutant.is_control() && !killed && !equivalent) {
      list.push_back(describe(mutant) + " survived" + change +
                     ": find out why, and list it in tests/mutants/equivalent.cpp if nothing can tell it apart");
    } else if (killed && equivalent) {
      list.push_back(describe(mutant) + " is listed as equivalent" + change + ", but was killed: " + trial.report);
    }
  }
  return list;
}

void print_outcomes(std::ostream& out, const std::vector<Outcome>& outcomes) {
  print_rows(out, "mistake", rows_by(outcomes, &Mutant::mistake));
  out << "\n";
  std::vector<Row> kernels = rows_by(outcomes, &Mutant::kernel);
  Row all{"all"};
  for (const Outcome& outcome : outcomes) {
    if (!outcome.mutant.is_control()) all.add(outcome.trial);
  }
  kernels.push_back(all);
  print_rows(out, "kernel", kernels);
}

void write_outcomes(const std::vector<Outcome>& outcomes, const Meta& meta, const std::filesystem::path& file) {
  std::vector<Outcome> of_mutants;
  std::copy_if(outcomes.begin(), outcomes.end(), std::back_inserter(of_mutants),
               [](const Outcome& outcome) { return !outcome.mutant.is_control(); });
  write_file(
      json_head("flash-steps/mutants/1", meta) + "  \"mutants\": [\n" + json_lines(of_mutants, row_json) + "  ]\n}\n",
      file);
}

}  // namespace flash_steps::mutants
