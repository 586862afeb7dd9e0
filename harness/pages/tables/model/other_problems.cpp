#include "harness/pages/tables/model/other_problems.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <utility>

#include "harness/base/text.h"
#include "harness/pages/tables/markdown.h"

namespace flash_steps {
namespace {

// In the order of the rows, each once.
template <typename Key>
std::vector<Key> each_once(const std::vector<ComparedProblem>& rows, Key (*key_of)(const ComparedProblem&)) {
  std::vector<Key> keys;
  for (const ComparedProblem& row : rows) {
    const Key key = key_of(row);
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
  }
  return keys;
}

std::vector<Compared> figures_where(const std::vector<ComparedProblem>& rows,
                                    const std::function<bool(const ComparedProblem&)>& counts) {
  std::vector<Compared> figures;
  for (const ComparedProblem& row : rows) {
    if (counts(row)) figures.push_back(row.figures);
  }
  return figures;
}

void add_errors(std::string& table, const std::string& name, const std::vector<Compared>& rows) {
  const Errors errors = errors_of(rows);
  table += markdown_row({name, std::to_string(errors.rows), fixed(errors.mean, 1), fixed(errors.most, 1),
                         (errors.bias >= 0 ? "+" : "−") + fixed(std::abs(errors.bias), 1),
                         fixed(errors.baseline_mean, 1), fixed(errors.baseline_most, 1)});
}

}  // namespace

std::string render_other_errors(const OtherProblems& data) {
  std::string table = markdown_head({"of", "rows", "mean error", "largest", "bias", "formula: mean", "largest"}, 1);
  for (const Card& card : all_cards()) {
    const std::vector<ComparedProblem> rows = against_timed(card, data.predictions, data.timed);
    if (rows.empty()) continue;
    const auto kind = [](const ComparedProblem& row) { return kind_of(row.problem); };
    for (const std::string& name : each_once<std::string>(rows, kind)) {
      add_errors(table, card.gpu + ", " + name,
                 figures_where(rows, [&](const ComparedProblem& row) { return kind_of(row.problem) == name; }));
    }
    const auto length = [](const ComparedProblem& row) { return row.problem.seqlen; };
    std::vector<int> lengths = each_once<int>(rows, length);
    std::sort(lengths.begin(), lengths.end());
    for (const int seqlen : lengths) {
      add_errors(table, card.gpu + ", seqlen " + std::to_string(seqlen),
                 figures_where(rows, [&](const ComparedProblem& row) { return row.problem.seqlen == seqlen; }));
    }
    add_errors(table, card.gpu + ", all", figures_of(rows));
  }
  return table;
}

std::string render_other_predictions(const OtherProblems& data) {
  std::string table;
  for (const Card& card : all_cards()) {
    const std::vector<ComparedProblem> rows = against_timed(card, data.predictions, data.timed);
    if (rows.empty()) continue;
    const std::vector<int> seen = each_once<int>(rows, [](const ComparedProblem& row) { return row.problem.seqlen; });
    const std::set<int> lengths(seen.begin(), seen.end());
    std::vector<std::string> head{card.gpu, "kernel", "config"};
    for (const int length : lengths) head.push_back("seqlen " + std::to_string(length));
    table += (table.empty() ? "" : "\n") + markdown_head(head, 3);
    using Line = std::pair<std::string, std::pair<std::string, std::string>>;
    const auto line_of = [](const ComparedProblem& row) -> Line {
      return {kind_of(row.problem), {row.figures.kernel, row.figures.config}};
    };
    for (const Line& line : each_once<Line>(rows, line_of)) {
      std::vector<std::string> cells{line.first, line.second.first, line.second.second};
      for (const int length : lengths) {
        const auto row = std::find_if(rows.begin(), rows.end(), [&](const ComparedProblem& r) {
          return line_of(r) == line && r.problem.seqlen == length;
        });
        cells.push_back(row == rows.end() ? nothing
                                          : fixed(row->figures.measured, 1) + " / " + fixed(row->figures.predicted, 1));
      }
      table += markdown_row(cells);
    }
  }
  return table + "\nPercent of FlashAttention-2 on the same problem: measured / predicted.\n";
}

}  // namespace flash_steps
