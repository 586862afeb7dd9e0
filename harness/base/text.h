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

/// "512 bytes", "48.0 KiB", "79.1 GiB".
std::string readable_bytes(double bytes);

/// Filled up with spaces to a width in characters. A character of several UTF-8 bytes counts once.
std::string pad_left(const std::string& text, int width);
std::string pad_right(const std::string& text, int width);

/// Without spaces at the end.
std::string trimmed(std::string text);

/// At most `width` characters; a cut is shown by "...".
std::string shortened(const std::string& text, int width);

/// Lines of at most `width` characters, broken between words; those behind the first begin with `indent` spaces. A word
/// that is longer stays whole.
std::string wrapped(const std::string& text, int width, int indent = 0);

/// 0 to 9, in any language.
bool is_digit(char c);

/// Without what would move the cursor or colour a terminal: control characters as \xNN, but for ends of lines and tabs.
std::string printable(const std::string& text);

/// The characters of a text that is one line.
int width_of(const std::string& text);

/// The candidate that takes the fewest inserted, removed or replaced characters to get to.
std::string nearest(const std::string& text, const std::vector<std::string>& candidates);

}  // namespace flash_steps
