// Predictions for other problems than the published (lengths, masks, head dimensions, dropout), beside what a chapter
// has of them in docs/results.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/predict/validation.h"

namespace flash_steps {

/// The chapter's results that have times of a GPU.
std::vector<ResultsFile> timed_files(const Chapter& chapter);

/// FlashAttention-2's on this problem, at the mean SM clock of its run; nothing where it was not timed on this card.
std::optional<Fa2Speed> fa2_speed(const Card& card, const Problem& problem, const std::vector<ResultsFile>& timed);

struct ComparedProblem {
  Problem problem;
  Compared figures;
};

/// Each prediction for this card of which there is a time, in its order.
std::vector<ComparedProblem> against_timed(const Card& card, const Predictions& predictions,
                                           const std::vector<ResultsFile>& timed);

std::vector<Compared> figures_of(const std::vector<ComparedProblem>& rows);

/// What is not as in the sixteen, whatever the length: "causal mask", "head_dim 64"; "as in the sixteen".
std::string kind_of(const Problem& problem);

}  // namespace flash_steps
