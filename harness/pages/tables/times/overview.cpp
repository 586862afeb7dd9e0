#include "harness/pages/tables/times/overview.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "harness/base/folders.h"
#include "harness/base/text.h"
#include "harness/contract/source.h"
#include "harness/pages/tables/markdown.h"
#include "harness/pages/tables/times/ladder.h"
#include "harness/predict/validation.h"
#include "harness/results/freshness.h"

namespace flash_steps {
namespace {

std::string percent_text(const std::map<std::string, double>& percents, const std::string& kernel) {
  const auto found = percents.find(kernel);
  return found == percents.end() ? nothing : fixed(found->second, 1);
}

bool is_stale(const Sweep& sweep, const Kernel& kernel) {
  return sweep.best_run(kernel.name, table_seqlen)->code != code_hash(kernel);
}

// What was published of a GPU, and the card if something is predicted of it.
struct GpuColumns {
  const PublishedColumn* published;
  const Card* predicted;
};

std::vector<GpuColumns> columns_of(const std::vector<const Kernel*>& kernels, const Published& published,
                                   const Predictions& predictions) {
  std::vector<GpuColumns> columns;
  for (const PublishedColumn& column : published.columns) {
    if (column.is_mean) continue;
    const Card* const card = card_of(column.gpu);
    const bool is_predicted = card != nullptr && std::any_of(kernels.begin(), kernels.end(), [&](const Kernel* kernel) {
                                return best_percent(predictions, *card, kernel->name).has_value();
                              });
    columns.push_back({&column, is_predicted ? card : nullptr});
  }
  return columns;
}

}  // namespace

std::string idea_of(const Kernel& kernel) {
  const std::vector<std::string> lines = read_lines(source_folder() / kernel.page_path());
  const std::string begin = "# " + kernel.name + ": ";
  if (lines.empty() || !lines.front().starts_with(begin)) {
    throw std::runtime_error(kernel.page_path().string() + " does not begin with \"" + begin + "\" and the idea");
  }
  return lines.front().substr(begin.size());
}

std::string render_overview(const std::vector<const Kernel*>& kernels, const Published& published, const Sweep& sweep,
                            const Predictions& predictions) {
  const std::vector<GpuColumns> columns = columns_of(kernels, published, predictions);
  std::vector<std::string> head = {"step", "the idea"};
  for (const GpuColumns& column : columns) {
    head.push_back(column.published->gpu + ", published");
    if (column.predicted != nullptr) head.push_back("predicted");
  }
  head.push_back(split(sweep.gpu, ' ').front() + ", measured");
  std::string table = markdown_head(head, 2);
  bool any_stale = false;
  for (const Kernel* kernel : kernels) {
    std::vector<std::string> row = {"[" + kernel->name + "](" + kernel->page_path().string() + ")", idea_of(*kernel)};
    for (const GpuColumns& column : columns) {
      row.push_back(percent_text(column.published->percent, kernel->name));
      if (column.predicted == nullptr) continue;
      const auto predicted = best_percent(predictions, *column.predicted, kernel->name);
      row.push_back(predicted ? "*" + fixed(*predicted, 1) + "*" : nothing);
    }
    const auto percent = percent_at(sweep, kernel->name, table_seqlen);
    const bool stale = percent && is_stale(sweep, *kernel);
    any_stale |= stale;
    row.push_back(percent ? fixed(*percent, 1) + (stale ? stale_mark : "") : nothing);
    table += markdown_row(row);
  }
  if (any_stale) table += std::string("\n") + stale_mark + ": the kernel has changed since.\n";
  return table;
}

std::string render_published_there(const std::vector<const Kernel*>& kernels, const Published& published,
                                   const Sweep& sweep) {
  std::string table = markdown_head({"step", "the published kernel", "this one", "difference, points"}, 1);
  for (const Kernel* kernel : kernels) {
    const auto theirs = published.h100_percent.find(kernel->name);
    const auto ours = percent_at(sweep, kernel->name, table_seqlen);
    if (theirs == published.h100_percent.end() || !ours) continue;
    const double difference = *ours - theirs->second;
    table += markdown_row({kernel->name, fixed(theirs->second, 1), fixed(*ours, 1),
                           (difference < 0 ? "−" : "+") + fixed(std::abs(difference), 1)});
  }
  return table + "\nThe first of the columns, of `docs/results/published.json`: " + published.h100_source + ".\n";
}

}  // namespace flash_steps
