// How far the steps are from fp64, beside FlashAttention-2 on the same inputs: read from a results file, and written as
// Markdown.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/contract/registry.h"
#include "harness/results/sweeps.h"

namespace flash_steps {

/// The project's aim: an error of ours is at most this many times FlashAttention-2's.
inline constexpr double error_ratio_aim = 1.2;

/// Against the reference, over all elements of O.
struct OutputError {
  double rms = 0;
  double max_abs = 0;

  bool operator==(const OutputError&) const = default;
};

/// By distribution; those that were not run are missing.
using ErrorRow = std::map<InputDistribution, OutputError>;

/// All steps in one type. Of a step that was run in several configs the largest of their errors count.
struct ErrorTable {
  Dtype dtype = Dtype::fp16;
  std::map<std::string, ErrorRow> steps;
  ErrorRow fa2;
};

/// One for each type of which the file has runs. Throws std::runtime_error that names the file and the field where runs
/// are of different shapes or seeds, or wrong, or there are none.
std::vector<ErrorTable> error_tables(const ResultsFile& file);

/// Ours in units of theirs: 1 where both are 0, and infinity where theirs alone is.
double error_ratio(double ours, double theirs);

/// For each type a table of the rms and one of the largest errors, a line for each step, neighbours with the same
/// figures in one line; and what they mean. Ratios above the aim are bold. Throws as error_tables does.
std::string render_errors(const std::vector<const Kernel*>& kernels, const ResultsFile& file);

}  // namespace flash_steps
