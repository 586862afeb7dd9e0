// Results on the console.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "harness/results/results.h"

namespace flash_steps {

/// The machine and the problem, over its runs.
void print_heading(std::ostream& out, const DeviceFacts& device, const Problem& problem);

/// Runs of one problem on a GPU as a table with a line each and one for each baseline, all in percent of the first
/// baseline, with the spread of the samples (p80 - p20 in percent of the median).
void print_gpu_table(std::ostream& out, const std::vector<Run>& runs, const std::vector<BaselineRun>& baselines);

/// A run on the emulator, with its counters.
void print_emulated(std::ostream& out, const Run& run);

/// A run in one line.
void print_verdict(std::ostream& out, const Run& run);

/// "14 right, 2 wrong"
void print_summary(std::ostream& out, const std::vector<Run>& runs);

/// One line each kind of access, aligned, with what applies to it; and below a line each launch, if there are several.
void print_counters(std::ostream& out, const Counters& counters, const std::vector<LaunchCounters>& launches = {});

/// "right: largest error 0.00012 (tolerance 0.00098), rms 2e-05", or "WRONG: …" or, of an output that is right,
/// "HAZARD: 2 hazards, largest error …".
std::string verdict_line(const Validation& validation);

}  // namespace flash_steps
