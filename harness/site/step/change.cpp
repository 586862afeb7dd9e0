#include "harness/site/step/change.h"

#include <algorithm>
#include <cctype>

#include "harness/base/text.h"
#include "harness/site/markup/html.h"
#include "harness/site/markup/listing.h"

namespace flash_steps {
namespace {

using Lines = std::vector<std::string>;

constexpr int context = 3;  // unchanged lines that stay beside a change
constexpr double least_in_common = 0.5;

// Names and numbers, blanks, and every other character by itself.
Lines words_of_line(const std::string& line) {
  const auto kind = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isspace(byte) != 0) return 1;
    return std::isalnum(byte) != 0 || c == '_' || byte >= 0x80 ? 2 : 0;
  };
  Lines words;
  for (size_t i = 0; i < line.size(); i++) {
    const bool joins = i > 0 && kind(line[i]) != 0 && kind(line[i]) == kind(line[i - 1]);
    if (joins) {
      words.back() += line[i];
    } else {
      words.emplace_back(1, line[i]);
    }
  }
  return words;
}

Lines sorted_words(const std::string& line) {
  Lines words = words_of_line(line);
  std::erase_if(words, [](const std::string& word) { return word.front() == ' '; });
  std::sort(words.begin(), words.end());
  return words;
}

// What part of their words two lines have in common, wherever they stand.
double in_common(const Lines& a, const Lines& b) {
  if (a.empty() || b.empty()) return 0;
  Lines both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return 2.0 * static_cast<double>(both.size()) / static_cast<double>(a.size() + b.size());
}

// Some lines that went and some that came, in order; those that are alike beside each other. The way through the table
// of all pairs that has the most in common.
std::vector<LinePair> paired(const Lines& removed, const Lines& added, int before, int after) {
  std::vector<Lines> old_words, new_words;
  for (const std::string& line : removed) old_words.push_back(sorted_words(line));
  for (const std::string& line : added) new_words.push_back(sorted_words(line));
  const size_t rows = removed.size(), columns = added.size();
  std::vector<std::vector<double>> best(rows + 1, std::vector<double>(columns + 1));
  std::vector<std::vector<double>> alike(rows, std::vector<double>(columns));
  for (size_t i = rows; i-- > 0;) {
    for (size_t j = columns; j-- > 0;) {
      alike[i][j] = in_common(old_words[i], new_words[j]);
      best[i][j] = std::max(best[i + 1][j], best[i][j + 1]);
      if (alike[i][j] >= least_in_common) best[i][j] = std::max(best[i][j], alike[i][j] + best[i + 1][j + 1]);
    }
  }
  std::vector<LinePair> pairs;
  size_t i = 0, j = 0;
  const auto number = [](int first, size_t index) { return first + static_cast<int>(index); };
  while (i < rows || j < columns) {
    if (i < rows && j < columns && alike[i][j] >= least_in_common && best[i][j] == alike[i][j] + best[i + 1][j + 1]) {
      pairs.push_back({number(before, i++), number(after, j++), false, true});
    } else if (i < rows && (j == columns || best[i][j] == best[i + 1][j])) {
      pairs.push_back({number(before, i++), 0, false, false});
    } else {
      pairs.push_back({0, number(after, j++), false, false});
    }
  }
  return pairs;
}

// Lines that went and lines that came, with none that are alike between them, beside each other.
std::vector<LinePair> beside_each_other(const std::vector<LinePair>& pairs) {
  std::vector<LinePair> rows;
  std::vector<int> before, after;
  const auto flush = [&] {
    for (size_t i = 0; i < std::max(before.size(), after.size()); i++) {
      rows.push_back({i < before.size() ? before[i] : 0, i < after.size() ? after[i] : 0, false, false});
    }
    before.clear();
    after.clear();
  };
  for (const LinePair& pair : pairs) {
    if (pair.alike) {
      flush();
      rows.push_back(pair);
    } else {
      if (pair.before != 0) before.push_back(pair.before);
      if (pair.after != 0) after.push_back(pair.after);
    }
  }
  flush();
  return rows;
}

// What one side of a pair of lines looks like.
struct Side {
  const char* name;     // "old" or "new"
  const char* changed;  // "del" or "add"
  const std::vector<std::vector<SourceToken>>& lines;
};

std::string cell(const Side& side, int line, bool same, const std::vector<std::pair<size_t, size_t>>& words) {
  const std::string name = std::string("\"") + side.name + (same ? "" : std::string(" ") + side.changed);
  if (line == 0) return "<div class=\"" + std::string(side.name) + " none\"></div>";
  std::vector<MarkedRange> marks;
  for (const auto& [begin, end] : words) marks.push_back({begin, end});
  const std::string number = std::to_string(line);
  const std::string sign = same ? "" : std::string(side.changed) == "del" ? "−" : "+";
  return "<div class=" + name + "\"" + (side.name[0] == 'n' ? " data-l=\"" + number + "\"" : "") + "><b>" + number +
         "</b><i>" + sign + "</i><code>" + coloured(side.lines[line - 1], marks) + "</code></div>";
}

// Unchanged lines, those far from a change behind a line that can be opened.
class Hunks {
 public:
  Hunks(const Lines& before, const Lines& after, const TextTools& tools)
      : before_(before),
        after_(after),
        tools_(tools),
        old_(tools.highlight(before, "cpp")),
        new_(tools.highlight(after, "cpp")) {}

  std::string same(const std::vector<LinePair>& pairs, bool is_first, bool is_last) const {
    const auto count = static_cast<int>(pairs.size());
    const int head = is_first ? 0 : std::min(context, count);
    const int tail = is_last ? 0 : std::min(context, count - head);
    if (count - head - tail < 4) return hunk(pairs, 0, count);
    const int folded = count - head - tail;
    return hunk(pairs, 0, head) + "<details class=\"fold\"><summary>" + std::to_string(folded) +
           " unchanged lines</summary>" + hunk(pairs, head, head + folded) + "</details>\n" +
           hunk(pairs, head + folded, count);
  }

  std::string hunk(const std::vector<LinePair>& pairs, int from, int to) const {
    if (from == to) return "";
    std::string html = "<div class=\"hunk\">\n";
    for (int i = from; i < to; i++) {
      const LinePair& pair = pairs[i];
      const ChangedWords words =
          pair.alike ? changed_words(before_[pair.before - 1], after_[pair.after - 1], tools_) : ChangedWords{};
      html += cell({"old", "del", old_}, pair.before, pair.same, words.removed) +
              cell({"new", "add", new_}, pair.after, pair.same, words.added) + "\n";
    }
    return html + "</div>\n";
  }

 private:
  const Lines& before_;
  const Lines& after_;
  const TextTools& tools_;
  std::vector<std::vector<SourceToken>> old_, new_;
};

std::vector<std::pair<size_t, size_t>> joined_ranges(const std::vector<std::pair<size_t, size_t>>& ranges,
                                                     const std::string& line) {
  std::vector<std::pair<size_t, size_t>> joined;
  for (const auto& range : ranges) {
    const bool touches = !joined.empty() && line.find_first_not_of(' ', joined.back().second) >= range.first;
    if (touches) {
      joined.back().second = range.second;
    } else {
      joined.push_back(range);
    }
  }
  return joined;
}

}  // namespace

std::vector<LinePair> pair_lines(const Lines& before, const Lines& after, const TextTools& tools) {
  std::vector<LinePair> pairs;
  Lines removed, added;
  int next_before = 1, next_after = 1;
  const auto flush = [&] {
    const auto more = beside_each_other(paired(removed, added, next_before - static_cast<int>(removed.size()),
                                               next_after - static_cast<int>(added.size())));
    pairs.insert(pairs.end(), more.begin(), more.end());
    removed.clear();
    added.clear();
  };
  for (const Edit& edit : tools.difference(before, after)) {
    if (edit.kind == Edit::Kind::same) {
      flush();
      pairs.push_back({next_before++, next_after++, true, false});
    } else if (edit.kind == Edit::Kind::removed) {
      removed.push_back(edit.text);
      next_before++;
    } else {
      added.push_back(edit.text);
      next_after++;
    }
  }
  flush();
  return pairs;
}

ChangedWords changed_words(const std::string& before, const std::string& after, const TextTools& tools) {
  ChangedWords words;
  size_t at_before = 0, at_after = 0;
  for (const Edit& edit : tools.difference(words_of_line(before), words_of_line(after))) {
    const size_t length = edit.text.size();
    if (edit.kind == Edit::Kind::removed) words.removed.emplace_back(at_before, at_before + length);
    if (edit.kind == Edit::Kind::added) words.added.emplace_back(at_after, at_after + length);
    if (edit.kind != Edit::Kind::added) at_before += length;
    if (edit.kind != Edit::Kind::removed) at_after += length;
  }
  return {joined_ranges(words.removed, before), joined_ranges(words.added, after)};
}

std::string render_change(const Lines& before, const Lines& after, const TextTools& tools) {
  const std::vector<LinePair> pairs = pair_lines(before, after, tools);
  const Hunks hunks(before, after, tools);
  std::string html;
  for (auto begin = pairs.begin(); begin != pairs.end();) {
    const auto end = std::find_if(begin, pairs.end(), [&](const LinePair& pair) { return pair.same != begin->same; });
    const std::vector<LinePair> some(begin, end);
    html += begin->same ? hunks.same(some, begin == pairs.begin(), end == pairs.end())
                        : hunks.hunk(some, 0, static_cast<int>(some.size()));
    begin = end;
  }
  return html;
}

}  // namespace flash_steps
