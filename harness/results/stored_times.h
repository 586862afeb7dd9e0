// Times of baselines that were measured before, on the same GPU, for a machine that cannot measure them.
#pragma once

#include <filesystem>
#include <vector>

#include "harness/results/results.h"

namespace flash_steps {

/// Compares the runs with each baseline that is unavailable, by the newest results file of the folder that has its time
/// for the same problem (of any seed) on a GPU of the same name. Files that cannot be read are passed over.
void compare_with_stored(std::vector<Run>& runs, const std::vector<BaselineRun>& baselines, const DeviceFacts& device,
                         const std::filesystem::path& folder);

}  // namespace flash_steps
