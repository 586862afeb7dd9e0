// What a step changed, as HTML: each line of both files, the unchanged ones folded, the changed words marked.
#pragma once

#include <string>
#include <vector>

#include "harness/site/text/tools.h"

namespace flash_steps {

/// Lines of the two files that stand beside each other; 0: none.
struct LinePair {
  int before;
  int after;
  bool same;
  bool alike;  ///< not the same, but with half of their words in common at least
};

/// In the order of both files. Changed lines that are alike stand beside each other; between these, what went stands
/// beside what came.
std::vector<LinePair> pair_lines(const std::vector<std::string>& before, const std::vector<std::string>& after,
                                 const TextTools& tools);

/// Where two lines differ, in words.
struct ChangedWords {
  std::vector<std::pair<size_t, size_t>> removed;  ///< from, to: bytes of the line before
  std::vector<std::pair<size_t, size_t>> added;
};
ChangedWords changed_words(const std::string& before, const std::string& after, const TextTools& tools);

std::string render_change(const std::vector<std::string>& before, const std::vector<std::string>& after,
                          const TextTools& tools);

}  // namespace flash_steps
