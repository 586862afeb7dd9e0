#include "harness/base/text.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

namespace flash_steps {
namespace {

bool begins_character(char byte) { return (byte & 0xc0) != 0x80; }

int width_of(const std::string& text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), begins_character));
}

std::string spaces(int count) { return std::string(std::max(count, 0), ' '); }

std::string printed(const char* format, int digits, double value) {
  char buffer[400];  // the largest double has 309 digits before the point
  std::snprintf(buffer, sizeof buffer, format, digits, value);
  return buffer;
}

// Levenshtein's, one row of the table at a time.
size_t edit_distance(const std::string& from, const std::string& to) {
  std::vector<size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < from.size(); i++) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < to.size(); j++) {
      const size_t replaced = diagonal + (from[i] != to[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::string join(const std::vector<std::string>& parts, const std::string& separator) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : separator) + part;
  return text;
}

std::string grouped(uint64_t value) {
  std::string text = std::to_string(value);
  for (int i = static_cast<int>(text.size()) - 3; i > 0; i -= 3) text.insert(i, 1, ',');
  return text;
}

std::string fixed(double value, int decimals) { return printed("%.*f", decimals, value); }

std::string significant(double value, int digits) { return printed("%.*g", digits, value); }

std::string markdown_row(const std::vector<std::string>& cells) { return "| " + join(cells, " | ") + " |\n"; }

std::string markdown_head(const std::vector<std::string>& cells, size_t text_columns) {
  std::vector<std::string> rule(cells.size(), "---:");
  std::fill_n(rule.begin(), text_columns, "---");
  return markdown_row(cells) + markdown_row(rule);
}

std::string pad_left(const std::string& text, int width) { return spaces(width - width_of(text)) + text; }

std::string pad_right(const std::string& text, int width) { return text + spaces(width - width_of(text)); }

std::string trimmed(std::string text) {
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::string shortened(const std::string& text, int width) {
  if (width_of(text) <= width) return text;
  std::string start;
  int characters = 0;
  for (char byte : text) {
    if (begins_character(byte) && ++characters > width - 3) break;
    start += byte;
  }
  return start + "...";
}

std::string nearest(const std::string& text, const std::vector<std::string>& candidates) {
  const auto nearer = [&](const std::string& a, const std::string& b) {
    return edit_distance(text, a) < edit_distance(text, b);
  };
  const auto found = std::min_element(candidates.begin(), candidates.end(), nearer);
  return found == candidates.end() ? "" : *found;
}

}  // namespace flash_steps
