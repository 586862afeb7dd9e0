#include "harness/site/text/highlight.h"

#include <srchilite/formatter.h>
#include <srchilite/formattermanager.h>
#include <srchilite/langdefmanager.h>
#include <srchilite/regexrulefactory.h>
#include <srchilite/settings.h>
#include <srchilite/sourcehighlighter.h>

#include <boost/make_shared.hpp>
#include <stdexcept>

namespace flash_steps {
namespace {

// A formatter is told the text of one kind alone, so there is one for each.
class Collector : public srchilite::Formatter {
 public:
  Collector(std::string kind, std::vector<SourceToken>& line) : kind_(std::move(kind)), line_(line) {}

  void format(const std::string& text, const srchilite::FormatterParams*) override {
    if (text.empty()) return;
    if (!line_.empty() && line_.back().kind == kind_) {
      line_.back().text += text;
    } else {
      line_.push_back({kind_, text});
    }
  }

 private:
  std::string kind_;
  std::vector<SourceToken>& line_;
};

constexpr const char* kinds[] = {"keyword", "type",  "comment", "string",   "number", "preproc", "function",
                                 "symbol",  "label", "todo",    "variable", "url",    "cbracket"};

}  // namespace

std::vector<std::vector<SourceToken>> highlighted(const std::vector<std::string>& lines, const std::string& language) {
  static srchilite::RegexRuleFactory rules;
  static srchilite::LangDefManager languages(&rules);
  std::vector<SourceToken> line;
  srchilite::FormatterManager formatters(boost::make_shared<Collector>("normal", line));
  for (const char* kind : kinds) formatters.addFormatter(kind, boost::make_shared<Collector>(kind, line));
  std::vector<std::vector<SourceToken>> tokens;
  try {
    srchilite::SourceHighlighter highlighter(
        languages.getHighlightState(srchilite::Settings::retrieveDataDir(), language + ".lang"));
    highlighter.setFormatterManager(&formatters);
    for (const std::string& text : lines) {
      line.clear();
      highlighter.highlightParagraph(text);
      tokens.push_back(line);
    }
  } catch (const std::exception& error) {
    throw std::runtime_error("source-highlight does not know " + language + " (" + error.what() +
                             "); its package libsource-highlight-common has the languages");
  }
  return tokens;
}

}  // namespace flash_steps
