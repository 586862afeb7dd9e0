// Small helpers for text: what tables, messages and the command line need and C++20's library lacks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace flash_steps {

/// The parts between the separators; "a,,b" has three.
std::vector<std::string> split(const std::string& text, char separator);

/// "a, b, c"
std::string join(const std::vector<std::string>& parts, const std::string& separator = ", ");

/// 1234567 as "1,234,567".
std::string grouped(uint64_t value);

/// With a fixed number of digits behind the point.
std::string fixed(double value, int decimals);

/// With a number of significant digits, as short as it goes: 0.00024, 1.5e-07, nan.
std::string significant(double value, int digits);

/// A row of a table in Markdown, and its head, whose first columns are text and the others numbers. Whole lines.
std::string markdown_row(const std::vector<std::string>& cells);
std::string markdown_head(const std::vector<std::string>& cells, size_t text_columns);

/// Filled up with spaces to a width in characters. A character of several UTF-8 bytes counts once.
std::string pad_left(const std::string& text, int width);
std::string pad_right(const std::string& text, int width);

/// Without spaces at the end.
std::string trimmed(std::string text);

/// At most `width` characters; a cut is shown by "...".
std::string shortened(const std::string& text, int width);

/// The candidate that takes the fewest inserted, removed or replaced characters to get to.
std::string nearest(const std::string& text, const std::vector<std::string>& candidates);

}  // namespace flash_steps
