#include "harness/site/markup/listing.h"

#include <filesystem>
#include <regex>
#include <utility>

#include "harness/site/markup/html.h"

namespace flash_steps {
namespace {

// Of a kind, the class in style.css; empty for what looks like the rest.
std::string class_of(const SourceToken& token) {
  static const std::map<std::string, std::string> classes = {{"keyword", "k"}, {"type", "t"},    {"comment", "c"},
                                                             {"todo", "c"},    {"url", "c"},     {"string", "s"},
                                                             {"number", "n"},  {"preproc", "p"}, {"function", "f"}};
  const auto found = classes.find(token.kind);
  return found == classes.end() ? "" : found->second;
}

std::string span(const std::string& name, const std::string& text) {
  if (!name.empty()) return "<span class=\"" + name + "\">" + escaped(text) + "</span>";
  // What CUDA adds to C++, which source-highlight does not know.
  static const std::regex cuda_keyword("__[a-z]+(_[a-z]+)*__");
  std::string html;
  auto from = text.begin();
  for (std::sregex_iterator match(text.begin(), text.end(), cuda_keyword), end; match != end; ++match) {
    html += escaped({from, (*match)[0].first}) + span("k", match->str());
    from = (*match)[0].second;
  }
  return html + escaped({from, text.end()});
}

}  // namespace

std::string coloured(const std::vector<SourceToken>& line) { return coloured(line, {}); }

std::string coloured(const std::vector<SourceToken>& line, const std::vector<MarkedRange>& marks) {
  std::string html;
  size_t at = 0;
  size_t mark = 0;
  for (const SourceToken& token : line) {
    const std::string name = class_of(token);
    const size_t token_end = at + token.text.size();
    size_t from = at;
    while (from < token_end) {
      while (mark < marks.size() && marks[mark].end <= from) mark++;
      const bool inside = mark < marks.size() && marks[mark].begin <= from;
      size_t to = token_end;
      if (mark < marks.size()) to = std::min(to, inside ? marks[mark].end : std::max(marks[mark].begin, from));
      const std::string piece = span(name, token.text.substr(from - at, to - from));
      html += inside ? "<mark>" + piece + "</mark>" : piece;
      from = to;
    }
    at = token_end;
  }
  return html;
}

std::string language_of(const std::string& file) {
  const std::string ending = std::filesystem::path(file).extension();
  for (const auto& [known, language] :
       {std::pair{".cu", "cpp"}, {".cuh", "cpp"}, {".h", "cpp"}, {".cpp", "cpp"}, {".sh", "sh"}, {".py", "python"}}) {
    if (ending == known) return language;
  }
  return "";
}

std::vector<std::string> coloured_lines(const std::vector<std::string>& lines, const std::string& language,
                                        const TextTools& tools) {
  std::vector<std::string> html;
  if (language.empty()) {
    for (const std::string& line : lines) html.push_back(escaped(line));
    return html;
  }
  for (const std::vector<SourceToken>& line : tools.highlight(lines, language)) html.push_back(coloured(line));
  return html;
}

}  // namespace flash_steps
