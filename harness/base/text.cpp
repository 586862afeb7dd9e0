#include "harness/base/text.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

namespace flash_steps {
namespace {

bool begins_character(char byte) { return (byte & 0xc0) != 0x80; }

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

int width_of(const std::string& text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), begins_character));
}

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

std::string readable_bytes(double bytes) {
  constexpr const char* units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  int unit = 0;
  while (bytes >= 1024 && unit < 6) {
    bytes /= 1024;
    unit++;
  }
  return fixed(bytes, unit == 0 ? 0 : 1) + " " + units[unit];
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

std::string wrapped(const std::string& text, int width, int indent) {
  const size_t leading = std::min(text.find_first_not_of(' '), text.size());
  std::string lines;
  std::string line = text.substr(0, leading);
  bool begins = true;  // there is no word on the line yet
  for (const std::string& word : split(text.substr(leading), ' ')) {
    if (!begins && width_of(line) + 1 + width_of(word) > width) {
      lines += trimmed(line) + "\n";
      line = spaces(indent);
      begins = true;
    }
    line += (begins ? "" : " ") + word;
    begins = false;
  }
  return lines + line;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string printable(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte >= 0x20 && byte != 0x7f) || c == '\n' || c == '\t') {
      safe += c;
    } else {
      char escaped[5];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
      safe += escaped;
    }
  }
  return safe;
}

std::string nearest(const std::string& text, const std::vector<std::string>& candidates) {
  const auto nearer = [&](const std::string& a, const std::string& b) {
    return edit_distance(text, a) < edit_distance(text, b);
  };
  const auto found = std::min_element(candidates.begin(), candidates.end(), nearer);
  return found == candidates.end() ? "" : *found;
}

}  // namespace flash_steps
