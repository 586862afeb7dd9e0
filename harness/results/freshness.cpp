#include "harness/results/freshness.h"

#include <cctype>
#include <cstdint>
#include <cstdio>

#include "harness/base/file.h"
#include "harness/contract/source.h"

namespace flash_steps {
namespace {

// The places where the text goes on after a comment or a literal that begins at `at`.
size_t end_of_line(const std::string& text, size_t at) {
  const size_t end = text.find('\n', at);
  return end == std::string::npos ? text.size() : end;
}

size_t end_of_comment(const std::string& text, size_t at) {
  const size_t end = text.find("*/", at + 2);
  return end == std::string::npos ? text.size() : end + 2;
}

size_t end_of_literal(const std::string& text, size_t at) {
  const char quote = text[at];
  for (size_t i = at + 1; i < text.size(); i++) {
    if (text[i] == '\\') {
      i++;
    } else if (text[i] == quote) {
      return i + 1;
    }
  }
  return text.size();
}

bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// What the compiler sees: without comments, and with one blank only between two words.
std::string code_of(const std::string& text) {
  std::string code;
  bool blank = false;
  const auto add = [&](const std::string& piece) {
    if (blank && !code.empty() && is_word(code.back()) && is_word(piece.front())) code += ' ';
    blank = false;
    code += piece;
  };
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (text.compare(at, 2, "//") == 0) {
      at = end_of_line(text, at);
      blank = true;
    } else if (text.compare(at, 2, "/*") == 0) {
      at = end_of_comment(text, at);
      blank = true;
    } else if (is_blank(c)) {
      at++;
      blank = true;
    } else {
      // An apostrophe behind a digit parts the digits of a number.
      const bool is_literal = c == '"' || (c == '\'' && (code.empty() || !is_word(code.back()) || blank));
      const size_t end = is_literal ? end_of_literal(text, at) : at + 1;
      add(text.substr(at, end - at));
      at = end;
    }
  }
  return code;
}

}  // namespace

std::string code_hash(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a's offset and prime
  for (const char c : code_of(text)) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return digits;
}

std::string code_hash(const Kernel& kernel) {
  const auto file = find_source(kernel);
  return file ? code_hash(read_file(*file)) : "";
}

}  // namespace flash_steps
