// Results on the console.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "harness/results/results.h"

namespace flash_steps {

/// "batch 1, heads 1, seqlen 256, head_dim 128, fp16, normal inputs, seed 1"
std::string describe(const Problem& problem);

/// One line each kind of access, aligned, with what applies to it.
void print_counters(std::ostream& out, const Counters& counters);

/// The runs of one problem: on a GPU a table with a line each and one for each baseline, all in percent of the first
/// baseline, with the spread of the samples (p80 - p20 in percent of the median); on the emulator the counters of each.
void print_runs(std::ostream& out, const DeviceFacts& device, const std::vector<Run>& runs,
                const std::vector<BaselineRun>& baselines);

/// "right: largest error 0.00012 (tolerance 0.00098), rms 2e-05", or "WRONG: …".
std::string verdict_line(const Validation& validation);

}  // namespace flash_steps
