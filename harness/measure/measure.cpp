#include "harness/measure/measure.h"

#include <algorithm>
#include <functional>
#include <map>

#include "harness/base/text.h"
#include "harness/console/report.h"
#include "harness/truth/validate.h"

namespace flash_steps {
namespace {

// The configs of a kernel are ranked by a few samples, which tell the better ones from the worse; the best of them are
// then measured, which tells the best.
constexpr size_t finalists = 2;

TimingBudget ranking_budget(const TimingBudget& budget) {
  return {.min_samples = std::min(budget.min_samples, 5), .min_seconds = budget.min_seconds / 50};
}

// Measures one problem.
class Measuring {
 public:
  Measuring(Backend& backend, const Problem& problem, const std::vector<Job>& jobs, const Options& options,
            Progress& progress)
      : backend_(backend), problem_(problem), jobs_(jobs), options_(options), progress_(progress) {
    for (const Job& job : jobs) {
      Run run;
      run.kernel = job.kernel->name;
      run.config = job.variant->tile.config;
      run.problem = problem;
      run.resources = backend.resources(*job.variant);
      run.validation.passed = true;  // until a check says otherwise
      result.runs.push_back(run);
    }
  }

  // An error that only an odd or an even number of iterations shows would hide at one shape.
  void check_small_shapes(std::set<const Variant*>& right) {
    struct Shape {
      Problem problem;
      std::vector<size_t> jobs;
    };
    std::vector<Shape> shapes;  // each once: loading one costs more than a check
    for (int blocks : {3, 4}) {
      for (size_t i = 0; i < jobs_.size(); i++) {
        if (right.count(jobs_[i].variant) != 0) continue;
        const TileShape& tile = jobs_[i].variant->tile;
        Problem problem = problem_;
        problem.batch = 2;
        problem.heads = tile.heads != 0 ? tile.heads : 2;
        problem.seqlen = blocks * seqlen_step(tile);
        const auto same =
            std::find_if(shapes.begin(), shapes.end(), [&](const Shape& shape) { return shape.problem == problem; });
        if (same == shapes.end()) {
          shapes.push_back({problem, {i}});
        } else {
          same->jobs.push_back(i);
        }
      }
    }
    for (const Shape& shape : shapes) {
      for (const size_t i : shape.jobs) check(i, shape.problem);
    }
    for (size_t i = 0; i < jobs_.size(); i++) {
      if (result.runs[i].validation.passed) right.insert(jobs_[i].variant);
    }
  }

  void check_all() {
    for (size_t i = 0; i < jobs_.size(); i++) check(i, problem_);
  }

  void repeat_all() {
    for (size_t i = 0; i < jobs_.size(); i++) {
      Run& run = result.runs[i];
      if (!run.validation.passed) continue;
      const std::string repeats = std::to_string(options_.repeats);
      progress_.say("launching " + jobs_[i].name() + " " + repeats + " times");
      const int differing = backend_.differing_repeats(*jobs_[i].variant, options_.repeats);
      run.determinism = {options_.repeats, differing == 0};
      if (differing > 0) {
        result.complaints.push_back(jobs_[i].name() + " is not deterministic at " + describe(problem_) + ": of " +
                                    repeats + " outputs " + std::to_string(differing) +
                                    " differ from the first; a race would explain it");
      }
    }
  }

  void prepare_baselines() {
    for (const Baseline baseline : options_.baselines) {
      load(problem_);
      progress_.say(std::string("preparing ") + name_of(baseline) + " at seqlen " + std::to_string(problem_.seqlen));
      BaselineRun run;
      run.baseline = baseline;
      run.problem = problem_;
      run.unavailable = backend_.prepare(baseline);
      if (run.unavailable) {
        result.notes.push_back(*run.unavailable);
      } else {
        run.implementation = backend_.implementation(baseline);
        run.memory = backend_.memory(baseline);
        run.validation.passed = true;  // until a check says otherwise
      }
      result.baselines.push_back(run);
    }
  }

  void check_baselines() {
    for (BaselineRun& run : result.baselines) {
      if (run.unavailable || !run.validation.passed) continue;
      progress_.say(std::string("checking ") + name_of(run.baseline));
      run.validation = judged(name_of(run.baseline), problem_, backend_.check(run.baseline));
    }
  }

  void time_all() {
    std::vector<size_t> timed;
    for (size_t i = 0; i < jobs_.size(); i++) {
      if (result.runs[i].validation.passed) timed.push_back(i);
    }
    if (timed.empty()) return;
    if (needs_ranking(timed)) {
      time(timed, ranking_budget(options_.budget));
      for (const size_t i : timed) result.runs[i].timing->full_budget = false;
      timed = finalists_of_each_kernel(timed);
    }
    time(timed, options_.budget);
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
    return groups.size() > 1 &&
           std::any_of(groups.begin(), groups.end(), [](const auto& group) { return group.second.size() > finalists; });
  }

  // By pairs, since clocks change while they are timed.
  std::vector<size_t> finalists_of_each_kernel(const std::vector<size_t>& timed) const {
    std::vector<size_t> indices;
    for (const auto& [kernel, configs] : by_kernel(timed)) {
      const TimingSummary& first = *result.runs[configs.front()].timing;
      std::multimap<double, size_t, std::greater<>> by_speed;
      for (const size_t i : configs) by_speed.emplace(paired_percent(first, *result.runs[i].timing), i);
      size_t taken = 0;
      for (const auto& [speed, i] : by_speed) {
        if (taken++ == finalists) break;
        indices.push_back(i);
      }
    }
    std::sort(indices.begin(), indices.end());
    return indices;
  }

  // The baselines take part each time, so that all percentages are of pairs.
  void time(const std::vector<size_t>& timed, const TimingBudget& budget) {
    std::vector<const Variant*> variants;
    for (const size_t i : timed) variants.push_back(jobs_[i].variant);
    std::vector<BaselineRun*> baseline_runs;
    std::vector<Baseline> baselines;
    for (BaselineRun& run : result.baselines) {
      if (run.unavailable || !run.validation.passed) continue;
      baseline_runs.push_back(&run);
      baselines.push_back(run.baseline);
    }
    progress_.say("timing " + std::to_string(variants.size() + baselines.size()) + " at seqlen " +
                  std::to_string(problem_.seqlen));
    const std::vector<Timing> timings = backend_.time(variants, baselines, budget);
    for (size_t i = 0; i < baselines.size(); i++) {
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
    backend_.load(problem, true);
    loaded_ = problem;
  }

  void check(size_t i, const Problem& problem) {
    Run& run = result.runs[i];
    if (!run.validation.passed) return;  // the first failure is what is reported
    load(problem);
    if (problem == problem_) run.memory = backend_.memory();
    progress_.say("checking " + jobs_[i].name() + " at seqlen " + std::to_string(problem.seqlen));
    run.validation = judged(jobs_[i].name(), problem, backend_.check(*jobs_[i].variant));
    if (const auto observation = backend_.observation()) {
      if (options_.mode != Mode::check_only) run.counters = observation->counters;
      if (options_.mode == Mode::explain) run.lines = observation->lines;
      run.validation.passed = run.validation.passed && observation->hazards.empty();
      for (const std::string& hazard : observation->hazards)
        result.complaints.push_back(jobs_[i].name() + ": " + hazard);
    }
  }

  Validation judged(const std::string& name, const Problem& problem, const OutputErrors& errors) {
    const Verdict verdict = judge(errors, problem.dtype);
    if (!verdict.passed) {
      result.complaints.push_back(name + " is wrong at " + describe(problem) + ": largest error " +
                                  significant(errors.max_abs, 3) + " (tolerance " + significant(verdict.tolerance, 3) +
                                  "), rms " + significant(errors.rms, 3) + " (tolerance " +
                                  significant(verdict.rms_tolerance, 3) + ")");
    }
    return {verdict.passed, errors.max_abs, errors.rms, verdict.tolerance, errors.reference};
  }

  Backend& backend_;
  const Problem& problem_;
  const std::vector<Job>& jobs_;
  const Options& options_;
  Progress& progress_;
  std::optional<Problem> loaded_;
};

}  // namespace

Measurement Measurer::measure(const Problem& problem, const std::vector<Job>& jobs) {
  const bool is_gpu = backend_.device().backend == Target::gpu;
  Measuring measuring(backend_, problem, jobs, options_, progress_);
  if (is_gpu) measuring.check_small_shapes(right_at_small_shapes_);
  measuring.check_all();
  if (options_.repeats > 0) measuring.repeat_all();
  if (is_gpu) {
    measuring.prepare_baselines();
    measuring.check_baselines();
  }
  if (is_gpu && options_.mode == Mode::measure) {
    measuring.time_all();
    measuring.check_all();
    measuring.check_baselines();
  }
  progress_.clear();
  return measuring.result;
}

}  // namespace flash_steps
