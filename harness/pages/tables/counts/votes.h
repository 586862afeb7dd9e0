// How often a kernel that rescales lazily rescales, in Markdown.
#pragma once

#include <string>

#include "harness/results/results.h"

namespace flash_steps {

/// A row for each run that counted votes. Throws std::runtime_error if there is none.
std::string render_votes(const Results& results);

}  // namespace flash_steps
