// Source as HTML, coloured.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/site/text/tools.h"

namespace flash_steps {

/// Some kinds of source-highlight's, as classes that the style sheet knows.
std::string coloured(const std::vector<SourceToken>& line);

/// The same with what lies within [begin, end) marked, for each of the ranges, in order.
struct MarkedRange {
  size_t begin;
  size_t end;
};
std::string coloured(const std::vector<SourceToken>& line, const std::vector<MarkedRange>& marks);

/// The language of a file by its name: "cpp", "sh", "python"; empty if it is shown as plain text.
std::string language_of(const std::string& file);

/// Lines coloured, or just escaped where there is no language.
std::vector<std::string> coloured_lines(const std::vector<std::string>& lines, const std::string& language,
                                        const TextTools& tools);

}  // namespace flash_steps
