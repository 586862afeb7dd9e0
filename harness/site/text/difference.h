// The shortest way from one list to another, by dtl.
#pragma once

#include "harness/site/text/tools.h"

namespace flash_steps {

/// See TextTools::difference.
std::vector<Edit> edits(const std::vector<std::string>& before, const std::vector<std::string>& after);

}  // namespace flash_steps
