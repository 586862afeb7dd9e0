#include <iostream>
#include <memory>
#include <set>

#include "harness/base/error.h"
#include "harness/base/progress.h"
#include "harness/base/text.h"
#include "harness/console/explain.h"
#include "harness/console/explain_bound.h"
#include "harness/console/report.h"
#include "harness/measure/measure.h"
#include "harness/measure/plan.h"
#include "harness/results/folder.h"
#include "harness/results/meta.h"
#include "harness/results/stored_times.h"
#include "harness/results/write.h"
#include "harness/runner/commands/commands.h"
#include "harness/runner/resume.h"

namespace flash_steps {
namespace {

std::unique_ptr<Machine> make_machine(const Options& options) {
  const auto emulator = [&] { return make_emulator(options.host_threads, options.lane_order); };
  if (options.mode == Mode::explain || options.device == DeviceChoice::emulator) return emulator();
  if (options.device == DeviceChoice::gpu) return make_gpu();
  try {
    return make_gpu();
  } catch (const NoGpu&) {
    return emulator();  // which is all there is: the heading says so
  } catch (const MachineError& error) {
    say(std::string("running on the emulator: ") + error.what());
    return emulator();
  }
}

// A command line that leaves the device open may ask for what only a GPU can do.
void say_what_is_left_out(const Options& options, const Machine& machine) {
  if (machine.device().backend == Target::gpu || options.device == DeviceChoice::emulator) return;
  if (!options.settings.baselines.empty()) say("--baseline is left out, for baselines run on a GPU");
  if (options.settings.budget != TimingBudget{}) {
    say("--samples and --min-time are left out, for the emulator takes no times");
  }
}

int profile(Machine& machine, const Problem& problem, const Job& job) {
  machine.load(problem, false);
  machine.launch(*job.variant);
  std::cout << "launched " << job.name() << " once: " << describe(problem) << "\n";
  std::vector<std::string> complaints;
  if (Observer* const observer = machine.observer()) {
    for (const std::string& hazard : observer->observation().hazards) complaints.push_back(job.name() + ", " + hazard);
  }
  return complain(complaints);
}

// One command's runs, from the first problem to the last.
class Session {
 public:
  Session(const Options& options, const Selection& kernels, const Arguments& argv)
      : options_(options),
        settings_(options.settings),
        machine_(make_machine(options)),
        default_(default_problem(*machine_, kernels)),
        problems_(problems_of(settings_, default_.problem)),
        progress_(options.verbose),
        // Where the results go to stdout, what is said of them does not.
        out_(options.json && *options.json == "-" ? std::cerr : std::cout) {
    say_what_is_left_out(options, *machine_);
    if (settings_.seqlens.empty() && !default_.note.empty()) say(default_.note);
    for (const Problem& problem : problems_) {
      plans_.push_back(plan_for(problem, kernels, settings_, *machine_));
      for (const std::string& sentence : plans_.back().left_out) say_once("left out " + sentence);
    }
    if (options.json) {  // making the meta starts git
      const Meta meta = make_meta(argv, machine_->device());
      if (options.resume) results_ = results_to_resume(options, kernels, default_.problem, meta, machine_->device());
      results_.meta = meta;
    }
    results_.device = machine_->device();
  }

  int run() {
    if (settings_.purpose == Purpose::profile) {
      return profile(*machine_, problems_.front(), plans_.front().jobs.front());
    }
    expect_steps();
    Measurer measurer(*machine_, settings_, progress_, [this](const Run& run) { show(run); });
    for (size_t p = 0; p < problems_.size(); p++) {
      if (is_done(problems_[p])) continue;
      show_heading(problems_[p]);
      keep(measurer.measure(problems_[p], plans_[p].jobs), plans_[p].jobs);
    }
    if (all_.size() > 1) print_summary(out_, all_);
    if (options_.json && *options_.json == "-") std::cout << to_json_text(results_);
    return exit_code_;
  }

 private:
  bool is_gpu() const { return machine_->device().backend == Target::gpu; }
  bool is_explain() const { return settings_.purpose == Purpose::explain; }

  void say_once(const std::string& sentence) {
    if (said_.insert(sentence).second) say(sentence);
  }

  bool is_done(const Problem& problem) {
    if (!options_.resume || !has_problem(results_, problem)) return false;
    say(describe(problem) + " is in " + options_.json->string() + " already");
    return true;
  }

  void expect_steps() {
    int steps = 0;
    for (size_t p = 0; p < problems_.size(); p++) {
      if (!options_.resume || !has_problem(results_, problems_[p])) steps += steps_of(settings_, plans_[p].jobs.size());
    }
    progress_.expect(steps);
  }

  void show_heading(const Problem& problem) {
    if (!is_explain() && (!options_.quiet || problems_.size() > 1)) {
      print_heading(out_, machine_->device(), problem);
    }
  }

  // As soon as it is complete; the rows of a GPU's table are, when all are timed.
  void show(const Run& run) {
    if (is_explain() || is_gpu()) return;
    if (options_.quiet) {
      print_verdict(out_, run);
    } else {
      print_emulated(out_, run);
    }
    out_ << std::flush;
  }

  void keep(Measurement measurement, const std::vector<Job>& jobs) {
    compare_with_stored(measurement.runs, measurement.baselines, machine_->device(), stored_results());
    for (const std::string& note : measurement.notes) say_once(note);
    if (is_explain()) explain(jobs, measurement.runs);
    if (is_gpu()) print_gpu_table(out_, measurement.runs, measurement.baselines);
    out_ << std::flush;
    if (complain(measurement.complaints) != 0) exit_code_ = 1;
    all_.insert(all_.end(), measurement.runs.begin(), measurement.runs.end());
    results_.runs.insert(results_.runs.end(), measurement.runs.begin(), measurement.runs.end());
    results_.baselines.insert(results_.baselines.end(), measurement.baselines.begin(), measurement.baselines.end());
    results_.device = machine_->device();  // of which timing measures the ceiling
    if (options_.json && *options_.json != "-") write_results(results_, *options_.json);
  }

  void explain(const std::vector<Job>& jobs, const std::vector<Run>& runs) {
    BoundExplainer bound(*machine_, jobs.front().variant->dtype);
    for (size_t i = 0; i < jobs.size(); i++) {
      print_explanation(out_, runs[i], *jobs[i].kernel);
      if (!runs[i].validation.right()) continue;  // its counters may be those of a launch that did not end
      bound.print(out_, *jobs[i].kernel, *jobs[i].variant);
      out_ << "\n";
    }
  }

  const Options& options_;
  const Settings& settings_;
  std::unique_ptr<Machine> machine_;
  DefaultProblem default_;
  std::vector<Problem> problems_;
  std::vector<Plan> plans_;
  Progress progress_;
  std::ostream& out_;
  std::set<std::string> said_;  // a sentence that holds for all problems is said once
  Results results_;
  std::vector<Run> all_;  // of this command
  int exit_code_ = 0;
};

}  // namespace

int run_kernels(const Options& options, const Selection& kernels, const Arguments& argv) {
  check_choice(kernels, options.settings);
  check_json(options);
  return Session(options, kernels, argv).run();
}

}  // namespace flash_steps
