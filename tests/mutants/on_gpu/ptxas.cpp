#include "mutants/on_gpu/ptxas.h"

#include <algorithm>
#include <regex>

#include "harness/base/text.h"

namespace flash_steps::mutants {

std::vector<std::string> ptxas_messages(const std::string& printed) {
  static const std::regex line_of_ptxas(R"(^ptxas\b.*?\b(info|warning|error)\s*:\s*(.*)$)");
  static const std::regex place(R"( in (the )?function '[^']*'| in around line \d+| for function '[^']*')");
  static const std::regex code(R"(^\((C\d+)\) )");
  std::vector<std::string> messages;
  for (const std::string& line : split(printed, '\n')) {
    std::smatch match;
    if (!std::regex_match(line, match, line_of_ptxas)) continue;
    std::string text = std::regex_replace(match[2].str(), place, "");
    text = match[1] == "error" ? "error: " + text : std::regex_replace(text, code, "$1: ");
    if (std::find(messages.begin(), messages.end(), text) == messages.end()) messages.push_back(text);
  }
  return messages;
}

std::string code_of_message(const std::string& message) {
  static const std::regex code(R"(^(C\d+|error): )");
  std::smatch match;
  return std::regex_search(message, match, code) ? match[1].str() : "";
}

}  // namespace flash_steps::mutants
