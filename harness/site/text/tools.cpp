#include "harness/site/text/tools.h"

#include "harness/site/text/difference.h"
#include "harness/site/text/highlight.h"
#include "harness/site/text/markdown.h"

namespace flash_steps {
namespace {

class Tools final : public TextTools {
 public:
  MarkdownNode markdown(const std::string& page) const override { return parse_markdown(page); }
  std::vector<std::vector<SourceToken>> highlight(const std::vector<std::string>& lines,
                                                  const std::string& language) const override {
    return highlighted(lines, language);
  }
  std::vector<Edit> difference(const std::vector<std::string>& before,
                               const std::vector<std::string>& after) const override {
    return edits(before, after);
  }
};

}  // namespace
}  // namespace flash_steps

extern "C" const flash_steps::TextTools& flash_steps_text_tools() {
  static const flash_steps::Tools tools;
  return tools;
}
