#include "harness/predict/other_problems.h"

#include <algorithm>

#include "harness/base/json.h"
#include "harness/base/text.h"
#include "harness/results/folder.h"

namespace flash_steps {
namespace {

// The same work, whatever the inputs.
bool is_same(const Problem& a, const Problem& b) {
  return a.batch == b.batch && a.heads == b.heads && a.key_heads() == b.key_heads() && a.seqlen == b.seqlen &&
         a.keys() == b.keys() && a.head_dim == b.head_dim && a.dtype == b.dtype && a.mask == b.mask &&
         a.pass == b.pass && a.dropout == b.dropout && a.padding == b.padding;
}

const Run* run_of(const PredictedRun& predicted, const std::vector<ResultsFile>& timed, const Card& card) {
  for (const ResultsFile& file : timed) {
    if (card_of(file.device()) != &card) continue;
    for (const Run& run : file.results.runs) {
      if (run.kernel == predicted.kernel && run.config == predicted.config && run.timing &&
          run.baselines.contains(Baseline::fa2) && is_same(run.problem, predicted.problem)) {
        return &run;
      }
    }
  }
  return nullptr;
}

}  // namespace

std::vector<ResultsFile> timed_files(const Chapter& chapter) {
  std::vector<ResultsFile> timed;
  for (const std::filesystem::path& file : json_files_in(stored_results(chapter))) {
    if (!schema_of(file).starts_with("flash-steps/results/")) continue;
    ResultsFile read = read_results_file(file);
    const auto is_timed = [](const Run& run) { return run.timing.has_value(); };
    const std::vector<Run>& runs = read.results.runs;
    if (std::any_of(runs.begin(), runs.end(), is_timed)) timed.push_back(std::move(read));
  }
  return timed;
}

std::optional<Fa2Speed> fa2_speed(const Card& card, const Problem& problem, const std::vector<ResultsFile>& timed) {
  for (const ResultsFile& file : timed) {
    if (card_of(file.device()) != &card) continue;
    for (const BaselineRun& run : file.results.baselines) {
      if (run.baseline != Baseline::fa2 || !run.timing || !is_same(run.problem, problem)) continue;
      return fa2_speed(file.results.device, *run.timing);
    }
  }
  return std::nullopt;
}

std::vector<ComparedProblem> against_timed(const Card& card, const Predictions& predictions,
                                           const std::vector<ResultsFile>& timed) {
  std::vector<ComparedProblem> rows;
  for (const PredictedRun& predicted : predictions.runs) {
    if (predicted.card != card.name || !predicted.without.empty() || !predicted.percent) continue;
    const Run* const run = run_of(predicted, timed, card);
    if (run == nullptr) continue;
    rows.push_back(
        {predicted.problem,
         {predicted.kernel, predicted.config, predicted.problem.seqlen,
          run->baselines.at(Baseline::fa2).shown_percent(), *predicted.percent, *predicted.baseline_percent, false}});
  }
  return rows;
}

std::vector<Compared> figures_of(const std::vector<ComparedProblem>& rows) {
  std::vector<Compared> figures;
  for (const ComparedProblem& row : rows) figures.push_back(row.figures);
  return figures;
}

std::string kind_of(const Problem& problem) {
  std::vector<std::string> parts;
  if (problem.mask != Mask::none) parts.push_back(std::string(name_of(problem.mask)) + " mask");
  if (problem.head_dim != default_head_dim) parts.push_back("head_dim " + std::to_string(problem.head_dim));
  if (problem.key_heads() != problem.heads) parts.push_back(std::to_string(problem.key_heads()) + " heads of keys");
  if (problem.keys() != problem.seqlen) parts.push_back(std::to_string(problem.keys()) + " keys");
  if (problem.dropout != 0) parts.push_back("dropout " + significant(problem.dropout, 3));
  if (problem.padding != 0) parts.push_back("packed, up to " + std::to_string(problem.padding) + " rows shorter");
  return parts.empty() ? "as in the sixteen" : join(parts);
}

}  // namespace flash_steps
