#include "harness/pages/tables/checks/errors.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>

#include "harness/base/text.h"
#include "harness/pages/tables/markdown.h"

namespace flash_steps {
namespace {

// What a table shows of an error.
struct Measure {
  const char* name;
  double OutputError::*value;
};

constexpr Measure measures[] = {{"rms of the errors", &OutputError::rms}, {"largest error", &OutputError::max_abs}};

void check(const ResultsFile& file) {
  const auto refuse = [&](const std::string& what) { throw std::runtime_error(file.file.string() + ": " + what); };
  const Results& results = file.results;
  if (results.runs.empty()) refuse("runs is empty; a file made by ./runner --kernel=all --check-only would work");
  const auto check_one = [&](const std::string& path, const Problem& problem, const Validation& validation) {
    Problem same = results.runs.front().problem;
    same.dtype = problem.dtype;
    same.inputs = problem.inputs;
    if (problem != same) {
      refuse(path + ".problem has another shape or seed than runs[0]'s; a file of one shape and seed would work");
    }
    const auto is_error = [](double value) { return std::isfinite(value) && value >= 0; };
    if (!is_error(validation.rms_error)) refuse(path + ".validation.rms_error is not a number of 0 or more");
    if (!is_error(validation.max_abs_error)) refuse(path + ".validation.max_abs_error is not a number of 0 or more");
    if (!validation.right())
      refuse(path + ".validation.verdict is not right; a file whose runs are all right would work");
  };
  for (size_t i = 0; i < results.runs.size(); i++) {
    check_one("runs[" + std::to_string(i) + "]", results.runs[i].problem, results.runs[i].validation);
  }
  for (size_t i = 0; i < results.baselines.size(); i++) {
    const BaselineRun& run = results.baselines[i];
    if (!run.unavailable) check_one("baselines[" + std::to_string(i) + "]", run.problem, run.validation);
  }
}

bool counts(const BaselineRun& run) { return run.baseline == Baseline::fa2 && !run.unavailable; }

ErrorTable& table_of(std::vector<ErrorTable>& tables, Dtype dtype) {
  const auto is_of = [&](const ErrorTable& table) { return table.dtype == dtype; };
  const auto found = std::find_if(tables.begin(), tables.end(), is_of);
  return found == tables.end() ? tables.emplace_back(ErrorTable{dtype, {}, {}}) : *found;
}

void enter(ErrorRow& row, InputDistribution inputs, const Validation& validation) {
  OutputError& error = row[inputs];
  error.rms = std::max(error.rms, validation.rms_error);
  error.max_abs = std::max(error.max_abs, validation.max_abs_error);
}

// "01_base to 04_interleaved_loads": steps that follow each other with the same figures.
struct Group {
  std::string name;
  const ErrorRow* errors;
};

std::vector<Group> groups_of(const std::vector<const Kernel*>& kernels, const ErrorTable& table) {
  std::vector<Group> groups;
  std::string first;
  for (const Kernel* kernel : kernels) {
    const auto errors = table.steps.find(kernel->name);
    if (errors == table.steps.end()) continue;
    if (!groups.empty() && *groups.back().errors == errors->second) {
      groups.back().name = first + " to " + kernel->name;
    } else {
      first = kernel->name;
      groups.push_back({first, &errors->second});
    }
  }
  return groups;
}

std::vector<InputDistribution> distributions_of(const std::vector<ErrorTable>& tables) {
  std::vector<InputDistribution> distributions;
  for (const InputDistribution inputs : all_distributions) {
    const auto has = [&](const auto& step) { return step.second.contains(inputs); };
    const auto any_has = [&](const ErrorTable& table) {
      return std::any_of(table.steps.begin(), table.steps.end(), has);
    };
    if (std::any_of(tables.begin(), tables.end(), any_has)) distributions.push_back(inputs);
  }
  return distributions;
}

std::string cell(const ErrorRow& errors, const ErrorRow& fa2, InputDistribution inputs, const Measure& measure) {
  const auto ours = errors.find(inputs);
  if (ours == errors.end()) return nothing;
  const std::string text = significant(ours->second.*measure.value, 3);
  const auto theirs = fa2.find(inputs);
  if (theirs == fa2.end()) return text;
  const double ratio = error_ratio(ours->second.*measure.value, theirs->second.*measure.value);
  const std::string ratio_text = std::isfinite(ratio) ? fixed(ratio, 2) : "∞";
  return text + (ratio > error_ratio_aim ? " (**" + ratio_text + "**)" : " (" + ratio_text + ")");
}

std::string render_table(const std::vector<const Kernel*>& kernels, const ErrorTable& table,
                         const std::vector<InputDistribution>& distributions, const Measure& measure) {
  std::vector<std::string> head = {std::string(name_of(table.dtype)) + ", " + measure.name};
  for (const InputDistribution inputs : distributions) head.emplace_back(name_of(inputs));
  std::string text = markdown_head(head, 1);
  const auto add = [&](const std::string& name, const ErrorRow& errors, const ErrorRow& fa2) {
    std::vector<std::string> cells = {name};
    for (const InputDistribution inputs : distributions) cells.push_back(cell(errors, fa2, inputs, measure));
    text += markdown_row(cells);
  };
  for (const Group& group : groups_of(kernels, table)) add(group.name, *group.errors, table.fa2);
  add("FlashAttention-2", table.fa2, {});
  return text;
}

// "1.03 (07_autotune, fp16, large)"; empty without FlashAttention-2.
std::string largest_ratio(const std::vector<const Kernel*>& kernels, const std::vector<ErrorTable>& tables,
                          const Measure& measure) {
  double largest = -1;
  std::string where;
  for (const ErrorTable& table : tables) {
    for (const Group& group : groups_of(kernels, table)) {
      for (const auto& [inputs, error] : *group.errors) {
        const auto theirs = table.fa2.find(inputs);
        if (theirs == table.fa2.end()) continue;
        const double ratio = error_ratio(error.*measure.value, theirs->second.*measure.value);
        if (!(ratio > largest)) continue;
        largest = ratio;
        where = group.name + ", " + name_of(table.dtype) + ", " + name_of(inputs);
      }
    }
  }
  if (where.empty()) return "";
  return (std::isfinite(largest) ? fixed(largest, 3) : "∞") + " for the " + measure.name + " (" + where + ")";
}

std::string notes(const std::vector<const Kernel*>& kernels, const ResultsFile& file,
                  const std::vector<ErrorTable>& tables) {
  std::set<std::string> references, implementations;
  std::set<std::pair<std::string, std::string>> configs;
  std::set<std::string> steps;
  for (const Run& run : file.results.runs) {
    references.insert(run.validation.reference);
    configs.insert({run.kernel, run.config});
    steps.insert(run.kernel);
  }
  for (const BaselineRun& run : file.results.baselines) {
    if (counts(run)) implementations.insert(run.implementation);
  }

  const Problem& problem = file.results.runs.front().problem;
  std::string text = "- " + file.device() + ", batch " + std::to_string(problem.batch) + ", heads " +
                     std::to_string(problem.heads) + ", seqlen " + std::to_string(problem.seqlen) + ", seed " +
                     std::to_string(problem.seed) + ", against " +
                     join({references.begin(), references.end()}, " and ") + ": `" + file.name() + "` of " +
                     file.date() + ", made by `" + file.command() + "`.\n";
  if (configs.size() > steps.size()) text += "- Of a step with several configs the largest of their errors is shown.\n";
  if (implementations.empty()) return text;
  text += "- In parentheses: in units of the error of FlashAttention-2 (" +
          join({implementations.begin(), implementations.end()}) + ") on the same inputs. The largest are " +
          largest_ratio(kernels, tables, measures[0]) + " and " + largest_ratio(kernels, tables, measures[1]) + ".\n";
  return text;
}

}  // namespace

double error_ratio(double ours, double theirs) {
  if (theirs > 0) return ours / theirs;
  return ours > 0 ? std::numeric_limits<double>::infinity() : 1;
}

std::vector<ErrorTable> error_tables(const ResultsFile& file) {
  check(file);
  std::vector<ErrorTable> tables;
  for (const Run& run : file.results.runs) {
    enter(table_of(tables, run.problem.dtype).steps[run.kernel], run.problem.inputs, run.validation);
  }
  for (const BaselineRun& run : file.results.baselines) {
    if (counts(run)) enter(table_of(tables, run.problem.dtype).fa2, run.problem.inputs, run.validation);
  }
  return tables;
}

std::string render_errors(const std::vector<const Kernel*>& kernels, const ResultsFile& file) {
  const std::vector<ErrorTable> tables = error_tables(file);
  const std::vector<InputDistribution> distributions = distributions_of(tables);
  std::string text;
  for (const ErrorTable& table : tables) {
    for (const Measure& measure : measures) text += render_table(kernels, table, distributions, measure) + "\n";
  }
  return text + notes(kernels, file, tables);
}

}  // namespace flash_steps
