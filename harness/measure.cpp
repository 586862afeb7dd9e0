#include "harness/measure.h"

#include "harness/report.h"
#include "harness/text.h"
#include "harness/validate.h"

namespace flash_steps {
namespace {

class Measuring {
 public:
  Measuring(Backend& backend, const Problem& problem, const std::vector<Job>& jobs, Mode mode, Progress& progress)
      : backend_(backend), jobs_(jobs), mode_(mode), progress_(progress) {
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
  void check_small_shapes(const Problem& like) {
    for (int blocks : {3, 4}) {
      for (size_t i = 0; i < jobs_.size(); i++) {
        const TileShape& tile = jobs_[i].variant->tile;
        Problem problem = like;
        problem.batch = 2;
        problem.heads = tile.heads != 0 ? tile.heads : 2;
        problem.seqlen = blocks * seqlen_step(tile);
        check(i, problem);
      }
    }
  }

  void check_all(const Problem& problem) {
    for (size_t i = 0; i < jobs_.size(); i++) check(i, problem);
  }

  void time_all(const Problem& problem, const TimingBudget& budget) {
    std::vector<const Variant*> variants;
    std::vector<Run*> runs;
    for (size_t i = 0; i < jobs_.size(); i++) {
      if (!result.runs[i].validation.passed) continue;
      variants.push_back(jobs_[i].variant);
      runs.push_back(&result.runs[i]);
    }
    if (variants.empty()) return;
    progress_.say("timing at seqlen " + std::to_string(problem.seqlen));
    const std::vector<Timing> timings = backend_.time(variants, budget);
    for (size_t i = 0; i < runs.size(); i++) runs[i]->timing = summarize(timings[i], problem);
  }

  Measurement result;

 private:
  void check(size_t i, const Problem& problem) {
    Run& run = result.runs[i];
    if (!run.validation.passed) return;  // the first failure is what is reported
    if (!loaded_ || *loaded_ != problem) {
      progress_.say("making the reference at seqlen " + std::to_string(problem.seqlen));
      backend_.load(problem, true);
      loaded_ = problem;
    }
    progress_.say("checking " + jobs_[i].name() + " at seqlen " + std::to_string(problem.seqlen));
    const OutputErrors errors = backend_.check(*jobs_[i].variant);
    const Verdict verdict = judge(errors, problem.dtype);
    run.validation = {verdict.passed, errors.max_abs, errors.rms, verdict.tolerance, errors.reference};
    if (!verdict.passed) {
      result.complaints.push_back(jobs_[i].name() + " is wrong at " + describe(problem) + ": largest error " +
                                  significant(errors.max_abs, 3) + " (tolerance " + significant(verdict.tolerance, 3) +
                                  "), rms " + significant(errors.rms, 3) + " (tolerance " +
                                  significant(verdict.rms_tolerance, 3) + ")");
    }
    if (const auto observation = backend_.observation()) {
      if (mode_ != Mode::check_only) run.counters = observation->counters;
      if (mode_ == Mode::explain) run.lines = observation->lines;
      run.validation.passed = verdict.passed && observation->hazards.empty();
      for (const std::string& hazard : observation->hazards)
        result.complaints.push_back(jobs_[i].name() + ": " + hazard);
    }
  }

  Backend& backend_;
  const std::vector<Job>& jobs_;
  Mode mode_;
  Progress& progress_;
  std::optional<Problem> loaded_;
};

}  // namespace

Measurement measure(Backend& backend, const Problem& problem, const std::vector<Job>& jobs, const Options& options,
                    Progress& progress) {
  const bool times = backend.device().backend == Target::gpu;
  Measuring measuring(backend, problem, jobs, options.mode, progress);
  if (times) measuring.check_small_shapes(problem);
  measuring.check_all(problem);
  if (times && options.mode == Mode::measure) {
    measuring.time_all(problem, options.budget);
    measuring.check_all(problem);
  }
  progress.clear();
  return measuring.result;
}

}  // namespace flash_steps
