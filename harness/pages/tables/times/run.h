// What the runner printed of a run that is stored.
#pragma once

#include <string>

#include "harness/results/results.h"

namespace flash_steps {

/// In Markdown: the kernel's runs, of which on a GPU those at seqlen 4096, without baselines. Throws std::runtime_error
/// if there is none.
std::string render_run(const std::string& kernel, const Results& results);

}  // namespace flash_steps
