#include "harness/measure/resume.h"

#include <algorithm>
#include <utility>

#include "harness/base/text.h"

namespace flash_steps {
namespace {

constexpr const char* left_open = "the default";

template <typename T>
std::string number_or_default(const std::optional<T>& value) {
  return value ? std::to_string(*value) : left_open;
}

template <typename T>
std::string list_or(const std::vector<T>& list, const char* if_empty) {
  std::vector<std::string> names;
  for (const T item : list) names.emplace_back(name_of(item));
  return names.empty() ? if_empty : join(names, ",");
}

// All that decides how a length is measured: the option, and its value.
std::vector<std::pair<std::string, std::string>> settings_of(const Options& options) {
  return {{"--kernel", options.kernels},
          {"--config", options.config.empty() ? left_open : options.config},
          {"--batch", number_or_default(options.batch)},
          {"--heads", number_or_default(options.heads)},
          {"--dtype", list_or(options.dtypes, left_open)},
          {"--inputs", list_or(options.inputs, left_open)},
          {"--seed", number_or_default(options.seed)},
          {"--baseline", list_or(options.baselines, "none")},
          {"--samples", std::to_string(options.budget.min_samples)},
          {"--min-time", significant(options.budget.min_seconds, 6)},
          {"--repeat", options.repeats == 0 ? "not given" : std::to_string(options.repeats)},
          {"--check-only", options.mode == Mode::check_only ? "given" : "not given"}};
}

Options options_of(const std::vector<std::string>& argv) {
  std::vector<const char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(argument.c_str());
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
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

Options options_that_made(const Results& results, const std::filesystem::path& file) {
  try {
    return options_of(results.meta.argv);
  } catch (const UsageError& error) {
    refuse(file,
           std::string("its command line is not understood (") + error.what() + "); another --json file would work");
  }
}

}  // namespace

Results results_to_resume(const Options& options, const Meta& now, const DeviceFacts& device) {
  const std::filesystem::path& file = options.json.value();
  if (!std::filesystem::exists(file)) return {};
  const Results results = read(file);

  const auto refuse_unless_same = [&](const std::string& what, const std::string& then, const std::string& here) {
    if (then == here) return;
    refuse(file, what + " was " + then + " and is " + here + " now; the same, or another --json file, would work");
  };
  refuse_unless_same("the device", results.device.name, device.name);
  refuse_unless_same("the commit of the sources", results.meta.git.value_or("unknown"), now.git.value_or("unknown"));
  const auto settings_then = settings_of(options_that_made(results, file));
  const auto settings_now = settings_of(options);
  for (size_t i = 0; i < settings_now.size(); i++) {
    refuse_unless_same(settings_now[i].first, settings_then[i].second, settings_now[i].second);
  }
  return results;
}

bool has_problem(const Results& results, const Problem& problem) {
  return std::any_of(results.runs.begin(), results.runs.end(), [&](const Run& run) { return run.problem == problem; });
}

}  // namespace flash_steps
