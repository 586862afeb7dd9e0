#include "harness/run.h"

#include <unistd.h>

#include <iostream>
#include <memory>

#include "harness/diff.h"
#include "harness/explain.h"
#include "harness/list.h"
#include "harness/measure.h"
#include "harness/plan.h"
#include "harness/report.h"
#include "harness/results.h"

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

int run_kernels(const Options& options, const std::vector<const Kernel*>& kernels,
                const std::vector<std::string>& argv) {
  check_choice(kernels, options);
  if (options.json) {
    try {
      check_writable(*options.json);
    } catch (const std::runtime_error& error) {
      throw UsageError(std::string("--json: ") + error.what());
    }
  }

  const std::unique_ptr<Backend> backend = make_backend(options);
  const std::vector<Problem> problems = problems_of(options, backend->default_problem());
  std::vector<std::vector<Job>> jobs;
  for (const Problem& problem : problems) jobs.push_back(jobs_for(problem, kernels, options, *backend, std::cerr));
  if (options.mode == Mode::profile) return profile(*backend, problems.front(), jobs.front());

  Results results;
  results.device = backend->device();
  Progress progress;
  int exit_code = 0;
  for (size_t p = 0; p < problems.size(); p++) {
    const Measurement measurement = measure(*backend, problems[p], jobs[p], options, progress);
    if (options.mode == Mode::explain) {
      for (size_t i = 0; i < jobs[p].size(); i++) {
        print_explanation(std::cout, measurement.runs[i], *jobs[p][i].kernel);
      }
    } else {
      print_runs(std::cout, results.device, measurement.runs);
    }
    std::cout << std::flush;
    if (complain(measurement.complaints) != 0) exit_code = 1;
    results.runs.insert(results.runs.end(), measurement.runs.begin(), measurement.runs.end());
  }
  if (options.json) {
    results.meta = make_meta(argv, results.device);
    write_results(results, *options.json);
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
    default:
      return run_kernels(options, selected, argv);
  }
}

}  // namespace flash_steps
