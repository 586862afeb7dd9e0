#include "harness/pages/tables/markdown.h"

#include <algorithm>

#include "harness/base/text.h"

namespace flash_steps {

std::string markdown_row(const std::vector<std::string>& cells) { return "| " + join(cells, " | ") + " |\n"; }

std::string markdown_head(const std::vector<std::string>& cells, size_t text_columns) {
  std::vector<std::string> rule(cells.size(), "---:");
  std::fill_n(rule.begin(), text_columns, "---");
  return markdown_row(cells) + markdown_row(rule);
}

}  // namespace flash_steps
