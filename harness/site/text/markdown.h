// Markdown as a tree, by md4c.
#pragma once

#include "harness/site/text/tools.h"

namespace flash_steps {

/// In GitHub's dialect.
MarkdownNode parse_markdown(const std::string& page);

}  // namespace flash_steps
