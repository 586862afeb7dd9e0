// The runner's flow: options → problems → backend → checks and times → results.
#pragma once

#include <string>
#include <vector>

#include "harness/runner/options.h"

namespace flash_steps {

/// Does what the options ask for; `argv` goes into the results file, which is complete after each length. Returns 0, or
/// 1 if a kernel was wrong. Throws UsageError and MachineError.
int run(const Options& options, const std::vector<std::string>& argv);

}  // namespace flash_steps
