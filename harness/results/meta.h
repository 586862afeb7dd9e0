// Where, when and how results are made: now, and by this build.
#pragma once

#include <string>
#include <vector>

#include "harness/results/results.h"

namespace flash_steps {

Meta make_meta(std::vector<std::string> argv, const DeviceFacts& device);

}  // namespace flash_steps
