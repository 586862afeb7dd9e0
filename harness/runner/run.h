// From options to a command.
#pragma once

#include "harness/runner/commands/commands.h"

namespace flash_steps {

/// Does what the options ask for; `argv` goes into the results file. Returns the exit code. Throws an error of
/// base/error.h.
int run(const Options& options, const Arguments& argv);

}  // namespace flash_steps
