// --explain: a kernel's source with what each line executed.
#pragma once

#include <iosfwd>

#include "harness/contract/registry.h"
#include "harness/results/results.h"

namespace flash_steps {

/// Prints each line of the kernel that executed a word, under the function that it stands in, with its counters; lines
/// with bank conflicts are marked. Needs a run with lines. Without the source it prints line numbers alone.
void print_explanation(std::ostream& out, const Run& run, const Kernel& kernel);

}  // namespace flash_steps
