// The table of what was measured of an SM's pipes.
#pragma once

#include <string>
#include <vector>

#include "harness/predict/measured_pipes.h"

namespace flash_steps {

/// A line for each kind of instruction: the cycles that one takes alone, and beside HMMA. Of the first GPU that was
/// measured, with what the others differ by. Throws std::runtime_error if none was.
std::string render_measured_pipes(const std::vector<MeasuredPipes>& measured);

/// Its latencies, of all GPUs that were measured.
std::string render_measured_latencies(const std::vector<MeasuredPipes>& measured);

}  // namespace flash_steps
