#include "harness/site/markup/html.h"

#include <cctype>
#include <filesystem>

#include "harness/base/text.h"

namespace flash_steps {
namespace {

// Of a character of several UTF-8 bytes: whether it is none of a word. Those of Latin-1 (·, ×, ²), and general
// punctuation, arrows and signs from U+2000 to U+2BFF, but for the small letters among them.
bool is_punctuation(const std::string& character) {
  static const std::string letters = "ªµºⁱⁿₐₑₒₓₔₕₖₗₘₙₚₛₜ";
  if (letters.find(character) != std::string::npos) return false;
  const auto first = static_cast<unsigned char>(character[0]);
  const bool is_latin_sign = first == 0xc2 || character == "×" || character == "÷";
  return is_latin_sign || (first == 0xe2 && static_cast<unsigned char>(character[1]) < 0xb0);
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string html;
  html.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

std::string script_json(const std::string& json) {
  std::string script;
  for (const char c : json) script += c == '<' ? "\\u003c" : std::string(1, c);
  return script;
}

std::string spoken_name(const std::string& kernel) {
  std::string name = kernel.substr(kernel.find('_') + 1);
  for (char& c : name) {
    if (c == '_') c = ' ';
  }
  return name;
}

std::string address_from(const std::string& page, const std::string& file) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(page).parent_path();
  return folder.empty() ? file : fs::path(file).lexically_relative(folder).generic_string();
}

std::string encoded(const std::string& text) {
  const std::string digits = "0123456789ABCDEF";
  const std::string plain = "-_.~=&";
  std::string address;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x80 && std::isalnum(byte) != 0) || plain.find(c) != std::string::npos) {
      address += c;
    } else {
      address += std::string("%") + digits[byte / 16] + digits[byte % 16];
    }
  }
  return address;
}

std::string anchor_of(const std::string& heading) {
  std::string anchor;
  for (size_t i = 0; i < heading.size();) {
    const auto byte = static_cast<unsigned char>(heading[i]);
    if (byte >= 0x80) {
      const size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      if (!is_punctuation(heading.substr(i, length))) anchor += heading.substr(i, length);
      i += length;
      continue;
    }
    if (byte == ' ') anchor += '-';
    if (std::isalnum(byte) != 0 || byte == '-' || byte == '_') anchor += static_cast<char>(std::tolower(byte));
    i++;
  }
  return anchor;
}

}  // namespace flash_steps
