// --errors.
#pragma once

#include <iosfwd>
#include <vector>

#include "harness/runner/options.h"

namespace flash_steps {

/// Prints the errors of the file that the options name, by default docs/results/h100_errors.json, or with --update puts
/// them into a page, between the lines <!-- errors --> and <!-- /errors -->. Throws UsageError.
void show_errors(std::ostream& out, const std::vector<const Kernel*>& kernels, const Options& options);

}  // namespace flash_steps
