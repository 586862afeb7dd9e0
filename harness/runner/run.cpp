#include "harness/runner/run.h"

#include <unistd.h>

#include <iostream>
#include <memory>
#include <set>
#include <sstream>

#include "harness/base/process.h"
#include "harness/console/diff.h"
#include "harness/console/explain.h"
#include "harness/console/explain_bound.h"
#include "harness/console/list.h"
#include "harness/console/machine_code.h"
#include "harness/console/report.h"
#include "harness/measure/measure.h"
#include "harness/measure/plan.h"
#include "harness/measure/resume.h"
#include "harness/results/results.h"
#include "harness/results/stored_times.h"
#include "harness/runner/errors_command.h"
#include "harness/runner/table_command.h"

namespace flash_steps {
namespace {

void say(const std::string& sentence) { std::cerr << "runner: " << sentence << "\n"; }

std::unique_ptr<Backend> make_backend(const Options& options) {
  const auto emulator = [&] { return make_emulator(options.host_threads, options.lane_order); };
  if (options.mode == Mode::explain) {
    if (options.device != DeviceChoice::emulator) say("--explain runs on the emulator, which alone counts by line");
    return emulator();
  }
  if (options.device == DeviceChoice::emulator) return emulator();
  if (options.device == DeviceChoice::gpu) return make_gpu();
  try {
    return make_gpu();
  } catch (const MachineError& error) {
    say(std::string("running on the emulator: ") + error.what());
    return emulator();
  }
}

// What is wrong goes to stderr, a line or a paragraph each; returns the exit code.
int complain(const std::vector<std::string>& complaints) {
  for (const std::string& complaint : complaints) say(complaint);
  return complaints.empty() ? 0 : 1;
}

int profile(Backend& backend, const Problem& problem, const std::vector<Job>& jobs) {
  if (jobs.size() > 1) {
    throw UsageError("--profile launches one config, and " + jobs.front().kernel->name +
                     " has several; --config=" + jobs.front().variant->tile.config + " would work");
  }
  backend.load(problem, false);
  backend.launch(*jobs.front().variant);
  std::cout << "launched " << jobs.front().name() << " once: " << describe(problem) << "\n";
  const auto observation = backend.observation();
  return complain(observation ? observation->hazards : std::vector<std::string>{});
}

void explain(Backend& emulator, const std::vector<Job>& jobs, const std::vector<Run>& runs) {
  BoundExplainer bound(emulator, jobs.front().variant->dtype);
  for (size_t i = 0; i < jobs.size(); i++) {
    print_explanation(std::cout, runs[i], *jobs[i].kernel);
    if (!runs[i].validation.passed) continue;  // its counters may be those of a launch that did not end
    bound.print(std::cout, *jobs[i].kernel, *jobs[i].variant);
    std::cout << "\n";
  }
}

void check_json(const Options& options) {
  if (!options.json) return;
  try {
    check_writable(*options.json);
  } catch (const std::runtime_error& error) {
    throw UsageError(std::string("--json: ") + error.what());
  }
}

int show_machine_code(const Options& options, const std::vector<const Kernel*>& kernels,
                      const std::vector<std::string>& argv) {
  check_choice(kernels, options);
  check_json(options);
  const std::vector<MachineCodeRow> rows = read_machine_code(executable(), kernels, options);
  print_machine_code(std::cout, rows);
  if (options.json) write_machine_code(rows, make_meta(argv, {}), *options.json);
  return 0;
}

int run_kernels(const Options& options, const std::vector<const Kernel*>& kernels,
                const std::vector<std::string>& argv) {
  check_choice(kernels, options);
  check_json(options);

  const std::unique_ptr<Backend> backend = make_backend(options);
  const std::vector<Problem> problems = problems_of(options, backend->default_problem());
  std::set<std::string> said;  // a sentence that holds for all problems is said once
  std::vector<std::vector<Job>> jobs;
  for (const Problem& problem : problems) {
    std::ostringstream notes;
    jobs.push_back(jobs_for(problem, kernels, options, *backend, notes));
    if (said.insert(notes.str()).second) std::cerr << notes.str();
  }
  if (options.mode == Mode::profile) return profile(*backend, problems.front(), jobs.front());

  const bool is_gpu = backend->device().backend == Target::gpu;
  if (!options.baselines.empty() && !is_gpu) say("--baseline is left out, for baselines run on a GPU");
  Results results;
  if (options.json) {  // making the meta starts git
    const Meta meta = make_meta(argv, backend->device());
    if (options.resume) results = results_to_resume(options, meta, backend->device());
    results.meta = meta;
  }
  results.device = backend->device();

  int exit_code = 0;
  Progress progress;
  Measurer measurer(*backend, options, progress);
  for (size_t p = 0; p < problems.size(); p++) {
    if (options.resume && has_problem(results, problems[p])) {
      say(describe(problems[p]) + " is in " + options.json->string() + " already");
      continue;
    }
    Measurement measurement = measurer.measure(problems[p], jobs[p]);
    compare_with_stored(measurement.runs, measurement.baselines, results.device, stored_results());
    for (const std::string& note : measurement.notes) {
      if (said.insert(note).second) say(note);
    }
    if (options.mode == Mode::explain) {
      explain(*backend, jobs[p], measurement.runs);
    } else {
      print_runs(std::cout, results.device, measurement.runs, measurement.baselines);
    }
    std::cout << std::flush;
    if (complain(measurement.complaints) != 0) exit_code = 1;
    results.runs.insert(results.runs.end(), measurement.runs.begin(), measurement.runs.end());
    results.baselines.insert(results.baselines.end(), measurement.baselines.begin(), measurement.baselines.end());
    results.device = backend->device();  // of which timing measures the ceiling
    if (options.json) write_results(results, *options.json);
  }
  return exit_code;
}

}  // namespace

int run(const Options& options, const std::vector<std::string>& argv) {
  const std::vector<const Kernel*> selected =
      select_kernels(options.kernels.empty() ? "all" : options.kernels, kernels());
  switch (options.mode) {
    case Mode::list:
      print_list(std::cout, selected);
      return 0;
    case Mode::diff:
      for (const Kernel* kernel : selected) print_diff(std::cout, *kernel, kernels(), isatty(STDOUT_FILENO) != 0);
      return 0;
    case Mode::machine_code:
      return show_machine_code(options, selected, argv);
    case Mode::table:
      return complain(show_table(std::cout, selected, options)) == 0 ? 0 : 2;
    case Mode::errors:
      show_errors(std::cout, selected, options);
      return 0;
    default:
      return run_kernels(options, selected, argv);
  }
}

}  // namespace flash_steps
