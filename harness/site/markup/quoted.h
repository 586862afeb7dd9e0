// Which lines of a file a piece of code in a text repeats.
#pragma once

#include <string>
#include <vector>

namespace flash_steps {

/// For each line its number in `source`, counted from 1; 0 where it does not stand there, or says too little (a brace)
/// without a neighbour that does. Indents do not count. Where a line stands there more than once, the place that
/// goes on from the line before is meant, otherwise the first.
std::vector<int> quoted_lines(const std::vector<std::string>& lines, const std::vector<std::string>& source);

}  // namespace flash_steps
