#include "harness/runner/resume.h"

#include <algorithm>
#include <utility>

#include "harness/base/error.h"
#include "harness/base/text.h"
#include "harness/contract/select.h"
#include "harness/measure/plan.h"
#include "harness/results/freshness.h"
#include "harness/results/read.h"

namespace flash_steps {
namespace {

template <typename T>
std::string list_or(const std::vector<T>& list, const char* if_empty) {
  std::vector<std::string> names;
  for (const T item : list) names.emplace_back(name_of(item));
  return names.empty() ? if_empty : join(names, ",");
}

std::string names_of(const std::vector<const Kernel*>& kernels) {
  std::vector<std::string> names;
  for (const Kernel* kernel : kernels) names.push_back(kernel->name);
  return join(names, ",");
}

// All that decides how a problem is measured: the option, and its value.
std::vector<std::pair<std::string, std::string>> settings_of(const Options& options,
                                                             const std::vector<const Kernel*>& kernels) {
  const Settings& settings = options.settings;
  return {{"--kernel", names_of(kernels)},
          {"--config", settings.config.empty() ? "the default" : settings.config},
          {"--baseline", list_or(settings.baselines, "none")},
          {"--samples", std::to_string(settings.budget.min_samples)},
          {"--min-time", significant(settings.budget.min_seconds, 6)},
          {"--repeat", settings.repeats == 0 ? "not given" : std::to_string(settings.repeats)},
          {"--check-only", settings.purpose == Purpose::check ? "given" : "not given"}};
}

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& reason) {
  throw UsageError("--resume cannot go on with " + file.string() + ": " + reason);
}

Results read(const std::filesystem::path& file) {
  try {
    return read_results(file);
  } catch (const std::runtime_error& error) {
    throw UsageError(std::string("--resume: ") + error.what() + "; without --resume it would be replaced");
  }
}

std::vector<std::pair<std::string, std::string>> settings_that_made(const Results& results,
                                                                    const std::filesystem::path& file) {
  try {
    std::vector<const char*> arguments;
    for (const std::string& argument : results.meta.argv) arguments.push_back(argument.c_str());
    const Options then = parse_options(static_cast<int>(arguments.size()), arguments.data());
    return settings_of(then, select_kernels(then.kernels, kernels()));
  } catch (const UsageError& error) {
    refuse(file,
           std::string("its command line is not understood (") + error.what() + "); another --json file would work");
  }
}

// What was measured has to be what these settings would measure at the same lengths.
void check_problems(const Results& results, const Settings& settings, const Problem& default_problem,
                    const std::filesystem::path& file) {
  Settings same_lengths = settings;
  same_lengths.seqlens.clear();
  for (const Run& run : results.runs) same_lengths.seqlens.push_back(run.problem.seqlen);
  if (results.runs.empty()) return;
  const std::vector<Problem> problems = problems_of(same_lengths, default_problem);
  for (const Run& run : results.runs) {
    if (std::find(problems.begin(), problems.end(), run.problem) != problems.end()) continue;
    const auto same_length = std::find_if(problems.begin(), problems.end(),
                                          [&](const Problem& problem) { return problem.seqlen == run.problem.seqlen; });
    refuse(file, "it holds " + describe(run.problem) + ", and now " + describe(*same_length) +
                     " is asked for; the same but for the lengths, or another --json file, would work");
  }
}

void check_code(const Results& results, const std::vector<const Kernel*>& kernels, const std::filesystem::path& file) {
  for (const Kernel* kernel : kernels) {
    const std::string now = code_hash(*kernel);
    for (const Run& run : results.runs) {
      if (run.kernel != kernel->name || run.code == now) continue;
      refuse(file, kernel->source_path().string() +
                       " has changed since it was made; the code of then, or another --json file, would work");
    }
  }
}

}  // namespace

Results results_to_resume(const Options& options, const std::vector<const Kernel*>& kernels,
                          const Problem& default_problem, const Meta& now, const DeviceFacts& device) {
  const std::filesystem::path& file = options.json.value();
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return {};
  const Results results = read(file);

  const auto refuse_unless_same = [&](const std::string& what, const std::string& then, const std::string& here) {
    if (then == here) return;
    refuse(file, what + " was " + then + " and is " + here + " now; the same, or another --json file, would work");
  };
  refuse_unless_same("the device", results.device.name, device.name);
  refuse_unless_same("the commit of the sources", results.meta.git.value_or("unknown"), now.git.value_or("unknown"));
  const auto then = settings_that_made(results, file);
  const auto here = settings_of(options, kernels);
  for (size_t i = 0; i < here.size(); i++) refuse_unless_same(here[i].first, then[i].second, here[i].second);
  check_problems(results, options.settings, default_problem, file);
  check_code(results, kernels, file);
  return results;
}

bool has_problem(const Results& results, const Problem& problem) {
  return std::any_of(results.runs.begin(), results.runs.end(), [&](const Run& run) { return run.problem == problem; });
}

}  // namespace flash_steps
