#include "harness/pages/tables/times/ladder.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "harness/base/text.h"
#include "harness/pages/tables/markdown.h"
#include "harness/pages/tables/model/bounds.h"
#include "harness/predict/validation.h"
#include "harness/results/freshness.h"

namespace flash_steps {
namespace {

constexpr const char* held_down_mark = "*";
constexpr const char* stored_mark = "†";

std::string percent_text(std::optional<double> percent) { return percent ? fixed(*percent, 1) : nothing; }

const Comparison* against_fa2(const Run* run) {
  if (!run) return nullptr;
  const auto found = run->baselines.find(Baseline::fa2);
  return found == run->baselines.end() ? nullptr : &found->second;
}

// --- The clocks --------------------------------------------------------------------------------------------------

bool held_down(const Run* run) { return run && run->timing->state.throttled; }

// "1832", or "1815 to 1832" where runs differ.
std::string clock_text(const std::vector<const Run*>& runs) {
  const auto by_clock = [](const Run* a, const Run* b) {
    return a->timing->state.sm_clock_mhz < b->timing->state.sm_clock_mhz;
  };
  const auto [low, high] = std::minmax_element(runs.begin(), runs.end(), by_clock);
  const std::string from = fixed((*low)->timing->state.sm_clock_mhz, 0);
  const std::string to = fixed((*high)->timing->state.sm_clock_mhz, 0);
  return from == to ? from : from + " to " + to;
}

std::string at_most(const Sweep& sweep) { return " (of at most " + fixed(sweep.sm_clock_max_mhz, 0) + ")"; }

// "1905 MHz at seqlen 1024, 1832 MHz at 4096", of the runs that were held down.
std::string clocks_by_seqlen(const Sweep& sweep, const std::vector<const Kernel*>& kernels,
                             const std::vector<int>& seqlens) {
  std::vector<std::string> parts;
  for (const int seqlen : seqlens) {
    std::vector<const Run*> runs;
    for (const Kernel* kernel : kernels) {
      const Run* run = sweep.best_run(kernel->name, seqlen);
      if (held_down(run)) runs.push_back(run);
    }
    if (!runs.empty()) {
      parts.push_back(clock_text(runs) + " MHz at " + (parts.empty() ? "seqlen " : "") + std::to_string(seqlen));
    }
  }
  return join(parts);
}

// --- The columns of a sweep --------------------------------------------------------------------------------------

// What a cell is made of: one length, or all of the mean.
struct Cell {
  std::optional<double> percent;
  bool is_held_down = false;
  bool is_stored = false;
  bool is_stale = false;  // of code that is not the kernel's any more
};

Cell cell_of(const Sweep& sweep, const Kernel& kernel, const std::vector<int>& seqlens, std::optional<double> percent) {
  Cell cell{percent};
  if (!percent) return cell;
  const std::string code = code_hash(kernel);
  for (const int seqlen : seqlens) {
    const Run* run = sweep.best_run(kernel.name, seqlen);
    cell.is_held_down |= held_down(run);
    cell.is_stored |= against_fa2(run)->stored_in.has_value();
    cell.is_stale |= run->code != code;
  }
  return cell;
}

struct SweepColumns {
  const Sweep* sweep;
  std::vector<Cell> at_seqlen;  // by kernel
  std::vector<Cell> mean;
  bool any_held_down = false;
  bool all_held_down = true;  // then a mark at each cell would say nothing
  bool any_stored = false;
  bool any_stale = false;
};

SweepColumns columns_of(const Sweep& sweep, const std::vector<const Kernel*>& kernels,
                        const std::vector<int>& seqlens) {
  SweepColumns columns{&sweep, {}, {}};
  for (const Kernel* kernel : kernels) {
    const std::string& name = kernel->name;
    columns.at_seqlen.push_back(cell_of(sweep, *kernel, {table_seqlen}, percent_at(sweep, name, table_seqlen)));
    columns.mean.push_back(cell_of(sweep, *kernel, seqlens, mean_percent(sweep, name, seqlens)));
    for (const Cell& cell : {columns.at_seqlen.back(), columns.mean.back()}) {
      if (!cell.percent) continue;
      columns.any_held_down |= cell.is_held_down;
      columns.all_held_down &= cell.is_held_down;
      columns.any_stored |= cell.is_stored;
      columns.any_stale |= cell.is_stale;
    }
  }
  return columns;
}

std::string cell_text(const Cell& cell, const SweepColumns& columns) {
  std::string text = percent_text(cell.percent);
  if (cell.is_held_down && !columns.all_held_down) text += held_down_mark;
  if (cell.is_stored) text += stored_mark;
  if (cell.is_stale) text += stale_mark;
  return text;
}

// Of FlashAttention-2: as it was timed or, where it was not, as the runs were compared with it.
std::optional<double> fa2_tflops(const Sweep& sweep, int seqlen) {
  if (const auto timed = sweep.fa2.find(seqlen); timed != sweep.fa2.end()) return timed->second->timing->tflops;
  for (const auto& [key, run] : sweep.best_runs) {
    if (key.second != seqlen) continue;
    if (const Comparison* comparison = against_fa2(run)) return comparison->tflops;
  }
  return std::nullopt;
}

std::string fa2_text(const Sweep& sweep, const std::vector<int>& seqlens) {
  std::vector<double> rates;
  bool is_timed = true;
  for (const int seqlen : seqlens) {
    const auto rate = fa2_tflops(sweep, seqlen);
    if (!rate) return nothing;
    rates.push_back(*rate);
    is_timed &= sweep.fa2.count(seqlen) > 0;
  }
  return fixed(harmonic_mean(rates), 1) + (is_timed ? "" : stored_mark);
}

// --- The lines below the table -----------------------------------------------------------------------------------

std::string published_note(const Published& published) {
  std::vector<std::string> clocks, printed;
  for (const PublishedColumn& column : published.columns) {
    printed.push_back(fixed(column.fa2_tflops_as_printed, 2));
    if (!column.is_mean) clocks.push_back(column.gpu + " at " + fixed(column.sm_clock_mhz, 0) + " MHz");
  }
  return "- Published: " + join(clocks, ", ") + ", locked. Its row of FlashAttention-2 was first printed as " +
         join(printed) +
         ", which is half; here it stands as its author corrected it, which leaves the percentages as they are. It "
         "counts 6 FLOP a score for the softmax besides the 4·head_dim of the products, which alone we count.\n";
}

std::string percent_note(const Published& published) {
  std::vector<std::string> seqlens;
  for (const int seqlen : published.seqlens) seqlens.push_back(std::to_string(seqlen));
  return "- Percent of FlashAttention-2 at seqlen " + std::to_string(table_seqlen) +
         "; mean: the harmonic mean of a step's TFLOP/s over seqlen " + join(seqlens) +
         ", in percent of FlashAttention-2's.\n";
}

std::string predicted_note() {
  return "- Predicted: of the step's config that is predicted to be the fastest there, from machine code alone; "
         "docs/method/prediction.md says how, and how far off that is.\n";
}

std::string sources_note(const Sweep& sweep) {
  std::vector<std::string> files;
  for (const ResultsFile* file : sweep.files) files.push_back("`" + file->name() + "` of " + file->date());
  std::string note = "- " + sweep.name() + ": " + join(files, ", ");
  if (files.size() > 1) note += "; where they hold the same run, that of the newest counts";
  return note + ".";
}

std::string stored_note(const Sweep& sweep) {
  std::set<std::string> files;
  for (const auto& [key, run] : sweep.best_runs) {
    const Comparison* comparison = against_fa2(run);
    if (comparison && comparison->stored_in) files.insert("`" + *comparison->stored_in + "`");
  }
  return " " + std::string(stored_mark) + ": of the time of FlashAttention-2 that is stored in " +
         join({files.begin(), files.end()}) + ".";
}

std::string sweep_note(const SweepColumns& columns, const std::vector<const Kernel*>& kernels,
                       const std::vector<int>& seqlens) {
  const Sweep& sweep = *columns.sweep;
  std::string note = sources_note(sweep);
  if (columns.any_held_down) {
    note +=
        columns.all_held_down ? " Behind all figures" : std::string(" ") + held_down_mark + ": behind these figures";
    note += " are runs whose clocks were held down by power or heat, to a mean SM clock of " +
            clocks_by_seqlen(sweep, kernels, seqlens) + at_most(sweep) +
            "; percentages stay comparable, TFLOP/s do not.";
  }
  if (columns.any_stored) note += stored_note(sweep);
  if (columns.any_stale) note += std::string(" ") + stale_mark + ": the kernel has changed since.";
  return note + "\n";
}

}  // namespace

double harmonic_mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) {
    if (!(value > 0)) return 0;
    sum += 1 / value;
  }
  return values.size() / sum;
}

std::optional<double> percent_at(const Sweep& sweep, const std::string& kernel, int seqlen) {
  const Comparison* comparison = against_fa2(sweep.best_run(kernel, seqlen));
  return comparison ? std::optional(comparison->shown_percent()) : std::nullopt;
}

std::optional<double> mean_percent(const Sweep& sweep, const std::string& kernel, const std::vector<int>& seqlens) {
  std::vector<double> rates, fa2_rates;
  for (const int seqlen : seqlens) {
    const Run* run = sweep.best_run(kernel, seqlen);
    const Comparison* comparison = against_fa2(run);
    if (!comparison) return std::nullopt;
    rates.push_back(comparison->shown_percent() / 100 * comparison->tflops);
    fa2_rates.push_back(comparison->tflops);
  }
  return 100 * harmonic_mean(rates) / harmonic_mean(fa2_rates);
}

namespace {

bool has_any(const Published& published, const std::vector<const Kernel*>& kernels) {
  return std::any_of(published.columns.begin(), published.columns.end(), [&](const auto& column) {
    return std::any_of(kernels.begin(), kernels.end(), [&](const auto* k) { return column.percent.contains(k->name); });
  });
}

std::string published_text(const PublishedColumn& column, const Kernel& kernel) {
  const auto found = column.percent.find(kernel.name);
  return percent_text(found == column.percent.end() ? std::nullopt : std::optional(found->second));
}

// A row a kernel, and FlashAttention-2's own rates in the last one.
class LadderTable {
 public:
  explicit LadderTable(const std::vector<const Kernel*>& kernels) {
    for (const Kernel* kernel : kernels) rows_.push_back({kernel->name});
  }

  // A column, of which text_of(k) is the k-th kernel's.
  template <typename TextOf>
  void add(const std::string& head, const std::string& reference, const TextOf& text_of) {
    head_.push_back(head);
    reference_.push_back(reference);
    for (size_t k = 0; k < rows_.size(); k++) rows_[k].push_back(text_of(k));
  }

  std::string text() const {
    std::string text = markdown_head(head_, 1);
    for (const std::vector<std::string>& row : rows_) text += markdown_row(row);
    return text + markdown_row(reference_);
  }

 private:
  std::vector<std::string> head_ = {"step"};
  std::vector<std::string> reference_ = {"FlashAttention-2, TFLOP/s"};
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace

std::string render_table(const std::vector<const Kernel*>& kernels, const Published& published,
                         const std::vector<Sweep>& sweeps, const StoredBounds* bounds, const Predictions* predictions) {
  LadderTable table(kernels);
  std::vector<BoundColumn> bound_columns;
  const auto add_bound = [&](const std::string& name, const std::optional<Fa2Speed>& fa2) {
    if (bounds == nullptr) return;
    const BoundColumn& column = bound_columns.emplace_back(BoundColumn{name, fa2});
    table.add(name + ", bound", nothing, [&](size_t k) { return percent_text(column.percent(*kernels[k], *bounds)); });
  };
  const auto add_predicted = [&](const std::string& gpu, const std::string& name) {
    if (predictions == nullptr || card_of(gpu) == nullptr) return;
    table.add(name + ", predicted", nothing,
              [&](size_t k) { return percent_text(best_percent(*predictions, *card_of(gpu), kernels[k]->name)); });
  };

  std::optional<Fa2Speed> fa2;  // of a GPU's first column, for behind its second
  const bool any_published = has_any(published, kernels);
  for (const PublishedColumn& column : published.columns) {
    if (any_published) {
      table.add(column.gpu + ", published" + (column.is_mean ? ", mean" : ""), fixed(column.fa2_tflops, 1),
                [&](size_t k) { return published_text(column, *kernels[k]); });
    }
    if (column.is_mean) {
      add_bound(column.gpu, fa2);
      add_predicted(column.gpu, column.gpu);
    } else {
      fa2 = fa2_speed(column);
    }
  }
  std::vector<SweepColumns> measured;
  for (const Sweep& sweep : sweeps) {
    const SweepColumns& columns = measured.emplace_back(columns_of(sweep, kernels, published.seqlens));
    table.add(sweep.name(), fa2_text(sweep, {table_seqlen}),
              [&](size_t k) { return cell_text(columns.at_seqlen[k], columns); });
    table.add(sweep.name() + ", mean", fa2_text(sweep, published.seqlens),
              [&](size_t k) { return cell_text(columns.mean[k], columns); });
    add_bound(sweep.name(), fa2_speed(sweep, table_seqlen));
    if (sweep.dtype == Dtype::fp16) add_predicted(sweep.gpu, sweep.name());
  }

  std::string text = table.text() + "\n";
  text += percent_note(published);
  if (predictions != nullptr) text += predicted_note();
  if (bounds != nullptr) text += bounds_note(bound_columns);
  if (any_published) text += published_note(published);
  for (const SweepColumns& columns : measured) text += sweep_note(columns, kernels, published.seqlens);
  return text;
}

std::string render_steps(const std::vector<std::string>& kernels, const Sweep& sweep) {
  std::vector<const Run*> runs;
  for (const std::string& kernel : kernels) runs.push_back(sweep.best_run(kernel, table_seqlen));
  std::vector<const Run*> held;
  std::copy_if(runs.begin(), runs.end(), std::back_inserter(held), held_down);
  const auto timed = std::count_if(runs.begin(), runs.end(), [](const Run* run) { return run != nullptr; });
  const bool all_held_down = static_cast<size_t>(timed) == held.size();

  bool any_stale = false;
  std::string table = markdown_head({"step", "config", "ms", "TFLOP/s", "% of FA2"}, 2);
  for (size_t i = 0; i < kernels.size(); i++) {
    const Run* run = runs[i];
    if (!run) {
      table += markdown_row({kernels[i], nothing, nothing, nothing, nothing});
      continue;
    }
    const Comparison* comparison = against_fa2(run);
    std::string percent = percent_text(percent_at(sweep, kernels[i], table_seqlen));
    if (held_down(run) && !all_held_down) percent += held_down_mark;
    if (comparison && comparison->stored_in) percent += stored_mark;
    const bool is_stale = run->code != code_hash(*find_kernel(kernels[i]));
    any_stale = any_stale || is_stale;
    if (is_stale) percent += stale_mark;
    table += markdown_row(
        {kernels[i], run->config, fixed(run->timing->median_ms, 3), fixed(run->timing->tflops, 1), percent});
  }

  const ResultsFile& file = *sweep.files.front();
  table += "\n" + sweep.name() + ", seqlen " + std::to_string(table_seqlen) + ": `" + file.name() + "`, made by " +
           "`" + file.command() + "`.";
  if (!held.empty()) {
    table += (all_held_down ? " The clocks" : std::string(" ") + held_down_mark + ": the clocks") +
             std::string(" were held down by power or heat, to a mean SM clock of ") + clock_text(held) + " MHz" +
             at_most(sweep) + ".";
  }
  if (std::any_of(runs.begin(), runs.end(), [](const Run* run) {
        const Comparison* comparison = against_fa2(run);
        return comparison && comparison->stored_in;
      })) {
    table += stored_note(sweep);
  }
  if (any_stale) table += std::string(" ") + stale_mark + ": the kernel has changed since.";
  return table + "\n";
}

}  // namespace flash_steps
