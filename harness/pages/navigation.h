// The way from page to page, in the order of reading.
#pragma once

#include <string>

#include "harness/contract/registry.h"

namespace flash_steps {

/// A line with links to the pages of the step before and of those that follow it, and to the table of all steps, as
/// seen from the page of the step.
std::string render_navigation(const Kernel& kernel);

}  // namespace flash_steps
