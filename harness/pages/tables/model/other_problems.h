// The tables of docs/method/prediction.md for other problems than the sixteen's.
#pragma once

#include <string>
#include <vector>

#include "harness/predict/other_problems.h"

namespace flash_steps {

/// The predictions of a chapter beside its times, for each card that has both.
struct OtherProblems {
  Predictions predictions;
  std::vector<ResultsFile> timed;

  explicit OtherProblems(const Chapter& chapter)
      : predictions(read_stored_predictions(chapter)), timed(timed_files(chapter)) {}
};

/// The errors by card and by what is not as in the sixteen.
std::string render_other_errors(const OtherProblems& data);

/// Each kernel on each kind of problem by length: measured, and predicted.
std::string render_other_predictions(const OtherProblems& data);

}  // namespace flash_steps
