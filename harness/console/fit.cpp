#include "harness/console/fit.h"

#include <algorithm>
#include <vector>

#include "harness/base/terminal.h"
#include "harness/base/text.h"

namespace flash_steps {
namespace {

using Cells = std::vector<std::string>;

constexpr int gap = 2;  // between two columns

bool is_row(const std::string& line) { return line.starts_with("| ") && line.ends_with(" |"); }

Cells cells_of(const std::string& line) {
  Cells cells;
  std::string rest = line.substr(2, line.size() - 4);
  for (size_t at; (at = rest.find(" | ")) != std::string::npos; rest = rest.substr(at + 3)) {
    cells.push_back(rest.substr(0, at));
  }
  cells.push_back(rest);
  return cells;
}

class Table {
 public:
  explicit Table(std::vector<Cells> rows) : rows_(std::move(rows)) {
    rows_.erase(rows_.begin() + 1);  // the rule, of which a terminal needs none
    widths_.resize(rows_.front().size());
    for (const Cells& row : rows_) {
      for (size_t c = 0; c < std::min(row.size(), widths_.size()); c++) {
        widths_[c] = std::max(widths_[c], column_width(row, c));
      }
    }
  }

  std::string text(int width) const {
    std::string text;
    for (size_t first = 1; first < widths_.size() || text.empty();) {
      size_t last = first;
      int used = widths_[0];
      while (last < widths_.size() && (last == first || used + gap + widths_[last] <= width)) {
        used += gap + widths_[last++];
      }
      if (!text.empty()) text += "\n";
      text += part(first, last);
      first = last;
    }
    return text;
  }

 private:
  // A heading takes as many lines as it has words.
  int column_width(const Cells& row, size_t c) const {
    if (&row != &rows_.front()) return width_of(row[c]);
    int widest = 0;
    for (const std::string& word : split(row[c], ' ')) widest = std::max(widest, width_of(word));
    return widest;
  }

  std::string line(const Cells& cells, size_t first, size_t last) const {
    const auto cell = [&](size_t c) { return c < cells.size() ? cells[c] : ""; };
    std::string line = pad_right(cell(0), widths_[0]);
    for (size_t c = first; c < last; c++) line += pad_left(cell(c), gap + widths_[c]);
    return trimmed(line) + "\n";
  }

  std::string part(size_t first, size_t last) const {
    std::string text;
    std::vector<Cells> heading;
    for (const std::string& name : rows_.front()) heading.push_back(split(name, ' '));
    size_t lines = heading[0].size();
    for (size_t c = first; c < last; c++) lines = std::max(lines, heading[c].size());
    for (size_t i = 0; i < lines; i++) {
      Cells words;
      for (const Cells& of_column : heading) {
        const size_t empty_lines = lines - std::min(lines, of_column.size());
        words.push_back(i < empty_lines ? "" : of_column[i - empty_lines]);
      }
      text += line(words, first, last);
    }
    for (size_t r = 1; r < rows_.size(); r++) text += line(rows_[r], first, last);
    return text;
  }

  std::vector<Cells> rows_;
  std::vector<int> widths_;
};

}  // namespace

std::string fitted(const std::string& markdown, int width) {
  std::string text;
  std::vector<Cells> rows;
  const auto end_table = [&] {
    if (rows.size() > 1) text += Table(std::move(rows)).text(width);
    rows.clear();
  };
  const std::vector<std::string> lines = split(markdown, '\n');
  for (size_t i = 0; i < lines.size(); i++) {
    if (is_row(lines[i])) {
      rows.push_back(cells_of(lines[i]));
      continue;
    }
    end_table();
    text += wrapped(lines[i], width, lines[i].starts_with("- ") ? 2 : 0) + (i + 1 < lines.size() ? "\n" : "");
  }
  end_table();
  return text;
}

std::string fitted(const std::string& markdown) { return is_interactive() ? fitted(markdown, page_width()) : markdown; }

}  // namespace flash_steps
