#include "harness/measure/measure.h"

#include <algorithm>
#include <map>
#include <optional>

#include "harness/base/error.h"
#include "harness/base/statistics.h"
#include "harness/base/text.h"
#include "harness/contract/coverage.h"
#include "harness/measure/ranking.h"
#include "harness/results/compare.h"
#include "harness/results/freshness.h"

namespace flash_steps {
namespace {

// Measures one problem.
class Measuring {
 public:
  Measuring(Machine& machine, const Problem& problem, const std::vector<Job>& jobs, const Settings& settings,
            Progress& progress)
      : machine_(machine), problem_(problem), jobs_(jobs), settings_(settings), progress_(progress) {
    for (const Job& job : jobs) {
      Run run;
      run.kernel = job.kernel->name;
      run.config = job.variant->tile.config;
      run.problem = problem;
      run.code = code_hash(*job.kernel);
      run.resources = machine.resources(*job.variant);
      result.runs.push_back(run);
    }
  }

  // What is wrong at one problem can be right at another: see small_problems().
  void check_small_problems(std::set<const Variant*>& right) {
    std::vector<std::pair<Problem, std::vector<size_t>>> problems;  // each once: loading one costs more than a check
    for (size_t i = 0; i < jobs_.size(); i++) {
      if (right.contains(jobs_[i].variant)) continue;
      for (const Problem& problem : small_problems(*jobs_[i].variant, problem_)) {
        const auto same =
            std::find_if(problems.begin(), problems.end(), [&](const auto& known) { return known.first == problem; });
        (same == problems.end() ? problems.emplace_back(problem, std::vector<size_t>()) : *same).second.push_back(i);
      }
    }
    for (const auto& [problem, of_problem] : problems) {
      for (const size_t i : of_problem) check(i, problem);
    }
    for (size_t i = 0; i < jobs_.size(); i++) {
      if (result.runs[i].validation.right()) right.insert(jobs_[i].variant);
    }
  }

  void check_one(size_t i) {
    check(i, problem_);
    progress_.step();
  }

  void repeat(size_t i) {
    Run& run = result.runs[i];
    if (!run.validation.right()) return;
    const std::string repeats = std::to_string(settings_.repeats);
    load(problem_);
    progress_.say("launching " + jobs_[i].name() + " " + repeats + " times");
    const int differing = machine_.differing_repeats(*jobs_[i].variant, settings_.repeats);
    run.determinism = {settings_.repeats, differing == 0};
    if (differing > 0) {
      result.complaints.push_back(jobs_[i].name() + " is not deterministic at " + describe(problem_) + ": of " +
                                  repeats + " outputs " + std::to_string(differing) +
                                  " differ from the first; a race would explain it");
    }
    progress_.step();
  }

  void prepare_baselines(Stopwatch& stopwatch) {
    for (const Baseline baseline : settings_.baselines) {
      load(problem_);
      progress_.say(std::string("preparing ") + name_of(baseline) + " at seqlen " + std::to_string(problem_.seqlen));
      BaselineRun run;
      run.baseline = baseline;
      run.problem = problem_;
      try {
        stopwatch.prepare(baseline);
        run.implementation = stopwatch.implementation(baseline);
        run.memory = stopwatch.memory(baseline);
      } catch (const MachineError& error) {
        leave_out(run, error);
      }
      result.baselines.push_back(run);
    }
  }

  void check_baselines(Stopwatch& stopwatch) {
    for (BaselineRun* const run : usable_baselines()) {
      progress_.say(std::string("checking ") + name_of(run->baseline));
      try {
        run->validation = judged(name_of(run->baseline), problem_, stopwatch.check(run->baseline));
      } catch (const OutOfMemory& error) {
        leave_out(*run, error);
      }
    }
  }

  void time_all(Stopwatch& stopwatch) {
    std::vector<size_t> timed;
    for (size_t i = 0; i < jobs_.size(); i++) {
      if (result.runs[i].validation.right()) timed.push_back(i);
    }
    if (timed.empty()) return;
    if (needs_ranking(timed)) {
      time(stopwatch, timed, ranking_budget(settings_.budget));
      for (const size_t i : timed) result.runs[i].timing->full_budget = false;
      timed = finalists_of_each_kernel(timed);
    }
    time(stopwatch, timed, settings_.budget);
  }

  Measurement result;

 private:
  std::map<const Kernel*, std::vector<size_t>> by_kernel(const std::vector<size_t>& timed) const {
    std::map<const Kernel*, std::vector<size_t>> groups;
    for (const size_t i : timed) groups[jobs_[i].kernel].push_back(i);
    return groups;
  }

  // With one kernel alone its configs are what is studied.
  bool needs_ranking(const std::vector<size_t>& timed) const {
    const auto groups = by_kernel(timed);
    return groups.size() > 1 && std::any_of(groups.begin(), groups.end(),
                                            [](const auto& group) { return group.second.size() > least_finalists; });
  }

  std::vector<size_t> finalists_of_each_kernel(const std::vector<size_t>& timed) const {
    std::vector<size_t> indices;
    for (const auto& [kernel, configs] : by_kernel(timed)) {
      std::vector<const TimingSummary*> timings;
      for (const size_t i : configs) timings.push_back(&*result.runs[i].timing);
      for (const size_t place : finalists(timings)) indices.push_back(configs[place]);
    }
    std::sort(indices.begin(), indices.end());
    return indices;
  }

  std::vector<BaselineRun*> usable_baselines() {
    std::vector<BaselineRun*> runs;
    for (BaselineRun& run : result.baselines) {
      if (!run.unavailable && run.validation.right()) runs.push_back(&run);
    }
    return runs;
  }

  // A baseline that runs out of memory now, and not before, is left out, and the rest are timed anew.
  std::vector<Timing> time_what_fits(Stopwatch& stopwatch, const std::vector<const Variant*>& variants,
                                     const TimingBudget& budget) {
    for (;;) {
      const std::vector<BaselineRun*> runs = usable_baselines();
      std::vector<Baseline> baselines;
      for (const BaselineRun* run : runs) baselines.push_back(run->baseline);
      progress_.say("timing " + std::to_string(variants.size() + baselines.size()) + " at seqlen " +
                    std::to_string(problem_.seqlen));
      try {
        return stopwatch.time(variants, baselines, budget);
      } catch (const BaselineOutOfMemory& error) {
        const auto run =
            std::find_if(runs.begin(), runs.end(), [&](auto* each) { return each->baseline == error.baseline; });
        if (run == runs.end()) throw;
        leave_out(**run, error);
      }
    }
  }

  void leave_out(BaselineRun& baseline, const MachineError& error) {
    baseline.unavailable = error.what();
    baseline.out_of_memory = dynamic_cast<const OutOfMemory*>(&error) != nullptr;
    baseline.timing.reset();
    for (Run& run : result.runs) run.baselines.erase(baseline.baseline);
    result.notes.emplace_back(error.what());
  }

  // The baselines take part each time, so that all percentages are of pairs.
  void time(Stopwatch& stopwatch, const std::vector<size_t>& timed, const TimingBudget& budget) {
    std::vector<const Variant*> variants;
    for (const size_t i : timed) variants.push_back(jobs_[i].variant);
    const std::vector<Timing> timings = time_what_fits(stopwatch, variants, budget);
    const std::vector<BaselineRun*> baseline_runs = usable_baselines();
    for (size_t i = 0; i < baseline_runs.size(); i++) {
      baseline_runs[i]->timing = summarize(timings[variants.size() + i], problem_);
    }
    for (size_t i = 0; i < timed.size(); i++) {
      Run& run = result.runs[timed[i]];
      run.timing = summarize(timings[i], problem_);
      for (const BaselineRun* baseline : baseline_runs) {
        run.baselines[baseline->baseline] = compare_with(*baseline->timing, *run.timing);
      }
    }
  }

  void load(const Problem& problem) {
    if (loaded_ && *loaded_ == problem) return;
    progress_.say("making the reference at seqlen " + std::to_string(problem.seqlen));
    machine_.load(problem, true);
    loaded_ = problem;
  }

  void check(size_t i, const Problem& problem) {
    Run& run = result.runs[i];
    if (!run.validation.right()) return;  // the first failure is what is reported
    load(problem);
    if (problem == problem_) run.memory = machine_.memory(*jobs_[i].variant);
    progress_.say("checking " + jobs_[i].name() + " at seqlen " + std::to_string(problem.seqlen));
    run.validation = judged(jobs_[i].name(), problem, machine_.check(*jobs_[i].variant));
    Observer* const observer = machine_.observer();
    if (observer == nullptr) return;
    const Observation& seen = observer->observation();
    run.validation.hazards = seen.hazards;
    if (run.validation.right() && !seen.hazards.empty()) run.validation.verdict = Verdict::hazard;
    for (const std::string& hazard : seen.hazards) result.complaints.push_back(jobs_[i].name() + ", " + hazard);
    if (problem != problem_) return;
    if (settings_.purpose != Purpose::check) {
      run.counters = seen.counters;
      run.launches = seen.launches;
    }
    if (settings_.purpose == Purpose::explain) run.lines = seen.lines;
  }

  // What is wrong of each tensor that is.
  void complain(const std::string& name, const Problem& problem, const OutputErrors& errors) {
    for (const OutputErrors& each : errors.each) complain(name + ", " + name_of(each.output) + ",", problem, each);
    const Judgement judgement = judge(errors, problem.dtype);
    if (judgement.right || !errors.each.empty()) return;
    result.complaints.push_back(name + " is wrong at " + describe(problem) + ": largest error " +
                                significant(errors.max_abs, 3) + " (tolerance " + significant(judgement.tolerance, 3) +
                                "), rms " + significant(errors.rms, 3) + " (tolerance " +
                                significant(judgement.rms_tolerance, 3) + ")");
  }

  Validation judged(const std::string& name, const Problem& problem, const OutputErrors& errors) {
    complain(name, problem, errors);
    const Judgement judgement = judge(errors, problem.dtype);
    Validation validation;
    validation.verdict = judgement.right ? Verdict::right : Verdict::wrong;
    validation.max_abs_error = errors.max_abs;
    validation.rms_error = errors.rms;
    validation.tolerance = judgement.tolerance;
    validation.reference = errors.reference;
    for (const OutputErrors& each : errors.each) {
      const Judgement of_tensor = judge(each, problem.dtype);
      validation.tensors[each.output] = {each.max_abs, each.rms, of_tensor.tolerance, of_tensor.right};
    }
    return validation;
  }

  Machine& machine_;
  const Problem& problem_;
  const std::vector<Job>& jobs_;
  const Settings& settings_;
  Progress& progress_;
  std::optional<Problem> loaded_;
};

bool is_timed(const Settings& settings) { return settings.purpose == Purpose::measure; }

}  // namespace

std::vector<Problem> small_problems(const Variant& variant, const Problem& problem) {
  struct Shape {
    int blocks, heads, batch;
    InputDistribution inputs;
  };
  constexpr Shape shapes[] = {{3, 3, 2, InputDistribution::large},
                              {4, 2, 1, InputDistribution::negative},
                              {1, 1, 2, InputDistribution::positive},
                              {2, 2, 2, InputDistribution::onehot}};
  const double most_flops = variant.tile.scalar ? 20e6 : 600e6;  // some 0.7 s of one core on the emulator
  std::vector<Problem> problems;
  for (const Shape& shape : shapes) {
    Problem small = problem;
    small.heads = variant.tile.heads != 0 ? variant.tile.heads : shape.heads;
    if (problem.kv_heads != 0) {  // as many queries to a key, as far as that is not too many
      small.kv_heads = small.heads;
      small.heads *= std::min(problem.heads / problem.kv_heads, 8);
    }
    small.inputs = shape.inputs;
    if (problem.dropout != 0) small.dropout_offset = 0xfffffff0;  // a counter that carries beyond 32 bits
    int blocks = shape.blocks;
    const auto fits = [&] {
      const int step = seqlen_step(variant.tile);
      small.seqlen = blocks * step - (variant.coverage.any_length ? step / 3 : 0);
      small.seqlen_kv = problem.keys() < problem.seqlen   ? small.seqlen - step / 2
                        : problem.keys() > problem.seqlen ? small.seqlen + step / 2
                                                          : 0;
      small.padding = std::min(problem.padding, small.most_padding());
      return small.flops() <= most_flops;
    };
    small.batch = shape.batch;
    if (!fits()) small.batch = 1;
    while (!fits() && blocks > 1) blocks--;
    if (std::find(problems.begin(), problems.end(), small) == problems.end()) problems.push_back(small);
  }
  return problems;
}

int steps_of(const Settings& settings, size_t jobs) { return static_cast<int>(jobs) * (settings.repeats > 0 ? 2 : 1); }

Measurement Measurer::measure(const Problem& problem, const std::vector<Job>& jobs) {
  Stopwatch* const stopwatch = machine_.stopwatch();
  Measuring measuring(machine_, problem, jobs, settings_, progress_);
  measuring.check_small_problems(right_at_small_problems_);
  const bool is_complete = stopwatch == nullptr || !is_timed(settings_);
  for (size_t i = 0; i < jobs.size(); i++) {
    measuring.check_one(i);
    if (settings_.repeats > 0) measuring.repeat(i);
    if (is_complete && on_run_) {
      progress_.clear();
      on_run_(measuring.result.runs[i]);
    }
  }
  if (stopwatch != nullptr) {
    measuring.prepare_baselines(*stopwatch);
    measuring.check_baselines(*stopwatch);
  }
  if (stopwatch != nullptr && is_timed(settings_)) {
    measuring.time_all(*stopwatch);
    for (size_t i = 0; i < jobs.size(); i++) measuring.check_one(i);
    measuring.check_baselines(*stopwatch);
  }
  progress_.clear();
  return measuring.result;
}

}  // namespace flash_steps
