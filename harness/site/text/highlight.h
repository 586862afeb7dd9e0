// Source with the kind of each piece, by GNU source-highlight.
#pragma once

#include "harness/site/text/tools.h"

namespace flash_steps {

/// See TextTools::highlight.
std::vector<std::vector<SourceToken>> highlighted(const std::vector<std::string>& lines, const std::string& language);

}  // namespace flash_steps
