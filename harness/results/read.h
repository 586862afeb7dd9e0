// Results from a JSON file.
#pragma once

#include <filesystem>

#include "harness/results/results.h"

namespace flash_steps {

/// Reads schema "flash-steps/results/2" and, from before problems had masks and runs verdicts, "flash-steps/results/1".
/// Throws std::runtime_error that names the file and the field where the file is of neither.
Results read_results(const std::filesystem::path& file);

}  // namespace flash_steps
