#include "harness/runner/run.h"

#include <iostream>

#include "harness/base/error.h"
#include "harness/base/file.h"
#include "harness/base/text.h"
#include "harness/contract/select.h"

namespace flash_steps {
namespace {

// What the modes that need no choice show.
Selection all_of(Mode mode) {
  if (mode == Mode::table || mode == Mode::errors) return of_chapter(sixteen);
  Selection all;
  for (const Kernel& kernel : kernels()) all.push_back(&kernel);
  return all;
}

}  // namespace

void say(const std::string& sentence) { std::cerr << "runner: " << printable(sentence) << "\n"; }

int complain(const std::vector<std::string>& complaints) {
  for (const std::string& complaint : complaints) say(complaint);
  return complaints.empty() ? 0 : 1;
}

void check_file(const std::string& option, const std::optional<std::filesystem::path>& file) {
  if (!file) return;
  try {
    check_writable(*file);
  } catch (const std::runtime_error& error) {
    throw UsageError(option + ": " + error.what());
  }
}

void check_json(const Options& options) { check_file("--json", options.json); }

int run(const Options& options, const Arguments& argv) {
  if (options.mode == Mode::version) return show_version();
  if (options.mode == Mode::stale) return show_stale();
  if (options.mode == Mode::completion) return show_completion(options.shell);
  complain(registry_complaints());
  if (options.mode == Mode::site) return show_site(options);
  const Selection selected =
      options.kernels.empty() ? all_of(options.mode) : select_kernels(options.kernels, kernels());
  if (!options.cards.empty()) return show_predict(options, selected, argv);
  switch (options.mode) {
    case Mode::list:
      return show_list(options, selected, argv);
    case Mode::diff:
      return show_diff(selected);
    case Mode::machine_code:
      return show_machine_code(options, selected, argv);
    case Mode::table:
      return show_table(options, selected);
    case Mode::errors:
      return show_errors(options, selected);
    default:
      return run_kernels(options, selected, argv);
  }
}

}  // namespace flash_steps
