#include "harness/site/html.h"

#include <cctype>
#include <filesystem>

#include "harness/base/text.h"

namespace flash_steps {

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

std::string anchor_of(const std::string& heading) {
  std::string anchor;
  for (const char c : heading) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) {
      anchor += c;
    } else if (c == ' ') {
      anchor += '-';
    } else if (std::isalnum(byte) != 0 || c == '-' || c == '_') {
      anchor += static_cast<char>(std::tolower(byte));
    }
  }
  return anchor;
}

}  // namespace flash_steps
