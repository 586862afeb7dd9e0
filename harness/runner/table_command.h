// --table.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "harness/runner/options.h"

namespace flash_steps {

/// Prints the table of the files that the options name, by default those of docs/results, or with --update puts it
/// where it belongs. Returns a sentence for each file that could not be shown; if there is one, nothing is updated.
/// Throws UsageError and std::runtime_error.
std::vector<std::string> show_table(std::ostream& out, const std::vector<const Kernel*>& kernels,
                                    const Options& options);

}  // namespace flash_steps
