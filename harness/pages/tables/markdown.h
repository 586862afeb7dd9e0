// Tables in Markdown, in whole lines.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace flash_steps {

/// In a cell that has no value.
inline constexpr const char* nothing = "—";

std::string markdown_row(const std::vector<std::string>& cells);

/// The head of a table whose first columns are text and the others numbers.
std::string markdown_head(const std::vector<std::string>& cells, size_t text_columns);

}  // namespace flash_steps
