// Markdown on a terminal.
#pragma once

#include <string>

namespace flash_steps {

/// On a terminal, Markdown whose tables fit its width: columns are aligned, and those that have no room follow in
/// tables of their own that repeat the first column. Anywhere else the Markdown as it is.
std::string fitted(const std::string& markdown);

/// The same for a page of this width.
std::string fitted(const std::string& markdown, int width);

}  // namespace flash_steps
