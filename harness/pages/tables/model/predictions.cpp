#include "harness/pages/tables/model/predictions.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

#include "harness/base/text.h"
#include "harness/pages/tables/markdown.h"
#include "harness/predict/sm/timings.h"

namespace flash_steps {
namespace {

constexpr const char* calibrated_mark = "°";

// One kind of figure that a card's predictions are held against.
struct ComparedGroup {
  std::string name;
  std::vector<Compared> rows;
};

// If some of the rows are calibrated, the others by themselves.
void add_held_out(std::vector<ComparedGroup>& groups, const std::string& name, const std::vector<Compared>& rows) {
  std::vector<Compared> held_out;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(held_out),
               [](const Compared& row) { return !row.is_calibrated; });
  if (held_out.size() < rows.size()) groups.push_back({name + ", held out", held_out});
}

// Of a published column the steps; of a GPU of ours each length in the first configs, and all configs of the table's.
std::vector<ComparedGroup> groups_of(const Card& card, const PredictionData& data, const std::string& without) {
  std::vector<ComparedGroup> groups;
  const auto published = against_published(card, data.predictions, data.published, without);
  if (!published.empty()) {
    groups.push_back({card.gpu + ", published, best config of each step", published});
    add_held_out(groups, card.gpu + ", published", published);
  }
  const std::vector<Compared> all = against_runs(card, data.predictions, data.sweeps, without);
  std::set<int> lengths;
  for (const Compared& row : all) lengths.insert(row.seqlen);
  for (const int length : lengths) {
    std::vector<Compared> rows;
    std::copy_if(all.begin(), all.end(), std::back_inserter(rows),
                 [&](const Compared& row) { return row.seqlen == length; });
    const std::vector<Compared> first = first_configs(rows);
    const std::string name = card.gpu + ", seqlen " + std::to_string(length);
    groups.push_back({name + ", first configs", first});
    add_held_out(groups, name, first);
    if (rows.size() > first.size()) groups.push_back({name + ", all configs", rows});
  }
  return groups;
}

std::string signed_points(double value) { return (value >= 0 ? "+" : "−") + fixed(std::abs(value), 1); }

// Of the steps in order, how many changes of at least a point have the sign that was measured.
std::string signs_text(const std::vector<Compared>& rows) {
  int right = 0, all = 0;
  for (size_t i = 1; i < rows.size(); i++) {
    const double measured = rows[i].measured - rows[i - 1].measured;
    if (std::abs(measured) < 1) continue;
    all++;
    right += measured * (rows[i].predicted - rows[i - 1].predicted) > 0 ? 1 : 0;
  }
  return std::to_string(right) + " of " + std::to_string(all);
}

std::string cell(const Compared* row, double Compared::*value) {
  return row == nullptr ? nothing : fixed(row->*value, 1) + (row->is_calibrated ? calibrated_mark : "");
}

const Compared* of_kernel(const std::vector<Compared>& rows, const std::string& kernel) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Compared& row) { return row.kernel == kernel; });
  return found == rows.end() ? nullptr : &*found;
}

// What a card's column of the ladder shows.
std::vector<Compared> ladder_of(const Card& card, const PredictionData& data) {
  std::vector<Compared> rows = against_published(card, data.predictions, data.published);
  if (!rows.empty()) return rows;
  for (const Compared& row : first_configs(against_runs(card, data.predictions, data.sweeps))) {
    if (row.seqlen == table_seqlen) rows.push_back(row);
  }
  return rows;
}

const Card& card_called(const std::string& name) {
  const std::vector<Card>& cards = all_cards();
  return *std::find_if(cards.begin(), cards.end(), [&](const Card& card) { return card.name == name; });
}

std::vector<Compared> at_table_length(const std::vector<Compared>& rows, const std::string& kernel = "") {
  std::vector<Compared> some;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(some), [&](const Compared& row) {
    return row.seqlen == table_seqlen && (kernel.empty() || row.kernel == kernel);
  });
  return some;
}

struct Aim {
  std::string what;
  std::string aimed, reached;
  bool is_met;
};

// Points of percent: a mean of at most so many and, unless that is 0, a largest error of at most so many.
Aim aim_of(const std::string& what, const std::vector<Compared>& rows, double mean, double most) {
  const Errors errors = errors_of(rows);
  const std::string aimed = "mean " + fixed(mean, 1) + (most > 0 ? ", largest " + fixed(most, 0) : "");
  const std::string reached = "mean " + fixed(errors.mean, 1) + (most > 0 ? ", largest " + fixed(errors.most, 1) : "");
  return {what, aimed, reached, errors.mean <= mean && (most == 0 || errors.most <= most)};
}

Aim aim_of_ranks(const std::vector<Compared>& rows) {
  constexpr size_t many = 8;  // configs
  constexpr double least = 0.8;
  double lowest = 1;
  for (const Kernel* kernel : of_chapter(sixteen)) {
    const std::vector<Compared> of_kernel = at_table_length(rows, kernel->name);
    if (of_kernel.size() >= many) lowest = std::min(lowest, errors_of(of_kernel).spearman);
  }
  return {"H100, within each step of eight configs", "rank correlation " + fixed(least, 1),
          "lowest " + fixed(lowest, 2), lowest >= least};
}

// Where the formula that needs no simulation is nearer in the mean.
Aim aim_of_formula(const PredictionData& data) {
  std::vector<std::string> worse;
  for (const Card& card : all_cards()) {
    for (const ComparedGroup& group : groups_of(card, data, "")) {
      const Errors errors = errors_of(group.rows);
      if (errors.mean >= errors.baseline_mean) worse.push_back(group.name);
    }
  }
  return {"everywhere", "nearer than the formula", worse.empty() ? "everywhere" : "not " + join(worse, "; "),
          worse.empty()};
}

}  // namespace

std::string render_prediction_errors(const PredictionData& data) {
  std::string table = markdown_head({"of", "rows", "mean error", "largest", "bias", "rank correlation",
                                     "changes with the right sign", "formula: mean", "largest"},
                                    1);
  for (const Card& card : all_cards()) {
    for (const ComparedGroup& group : groups_of(card, data, "")) {
      const Errors errors = errors_of(group.rows);
      const bool is_ladder = group.rows.size() == of_chapter(sixteen).size();
      table += markdown_row({group.name, std::to_string(errors.rows), fixed(errors.mean, 1), fixed(errors.most, 1),
                             signed_points(errors.bias), fixed(errors.spearman, 2),
                             is_ladder ? signs_text(group.rows) : nothing, fixed(errors.baseline_mean, 1),
                             fixed(errors.baseline_most, 1)});
    }
  }
  return table;
}

std::string render_prediction_aims(const PredictionData& data) {
  const auto runs = [&](const char* card) { return against_runs(card_called(card), data.predictions, data.sweeps); };
  const auto published = [&](const char* card) {
    return against_published(card_called(card), data.predictions, data.published);
  };
  const std::vector<Compared> h100 = runs("h100");
  const std::vector<Aim> aims{
      aim_of("H100, seqlen 4096, first configs", first_configs(at_table_length(h100)), 1.5, 4),
      aim_of("H100, seqlen 4096, all configs", at_table_length(h100), 3, 0),
      aim_of_ranks(h100),
      aim_of("H100, all lengths, first configs", first_configs(h100), 4, 0),
      aim_of("H200, seqlen 4096, first configs", first_configs(at_table_length(runs("h200"))), 2.5, 0),
      aim_of("A100, published", published("a100"), 3, 8),
      aim_of("RTX 3090, published", published("rtx3090"), 2.5, 5),
      aim_of_formula(data)};
  std::string table = markdown_head({"of", "aimed at", "reached", ""}, 4);
  for (const Aim& aim : aims)
    table += markdown_row({aim.what, aim.aimed, aim.reached, aim.is_met ? "met" : "**missed**"});
  return table;
}

std::string render_predictions(const PredictionData& data) {
  std::vector<std::string> head{"step"};
  std::vector<std::vector<Compared>> ladders;
  for (const Card& card : all_cards()) {
    ladders.push_back(ladder_of(card, data));
    const bool is_published = !against_published(card, data.predictions, data.published).empty();
    head.insert(head.end(), {card.gpu + (is_published ? ", published" : ", measured"), "predicted", "formula"});
  }
  std::string table = markdown_head(head, 1);
  for (const Kernel* kernel : of_chapter(sixteen)) {
    std::vector<std::string> row{kernel->name};
    for (const std::vector<Compared>& ladder : ladders) {
      const Compared* const compared = of_kernel(ladder, kernel->name);
      row.insert(row.end(), {compared == nullptr ? nothing : fixed(compared->measured, 1),
                             cell(compared, &Compared::predicted), cell(compared, &Compared::baseline)});
    }
    table += markdown_row(row);
  }
  return table + "\nPercent of FlashAttention-2 at seqlen " + std::to_string(table_seqlen) + ". " + calibrated_mark +
         ": the model's fitted figures are from these rows.\n";
}

std::string render_prediction_ranks(const PredictionData& data) {
  std::vector<std::string> head{"step"};
  for (const Card& card : all_cards()) {
    if (!against_runs(card, data.predictions, data.sweeps).empty()) {
      head.insert(head.end(), {card.gpu + ", rank correlation", "fastest measured", "predicted"});
    }
  }
  std::string table = markdown_head(head, 1);
  for (const Kernel* kernel : of_chapter(sixteen)) {
    std::vector<std::string> row{kernel->name};
    for (const Card& card : all_cards()) {
      const std::vector<Compared> all = against_runs(card, data.predictions, data.sweeps);
      if (all.empty()) continue;
      std::vector<Compared> rows;
      std::copy_if(all.begin(), all.end(), std::back_inserter(rows), [&](const Compared& compared) {
        return compared.kernel == kernel->name && compared.seqlen == table_seqlen;
      });
      if (rows.size() < 3) break;
      const auto most = [&](double Compared::*value) {
        return std::max_element(rows.begin(), rows.end(),
                                [&](const Compared& a, const Compared& b) { return a.*value < b.*value; })
            ->config;
      };
      row.insert(row.end(),
                 {fixed(errors_of(rows).spearman, 2), most(&Compared::measured), most(&Compared::predicted)});
    }
    if (row.size() == head.size()) table += markdown_row(row);
  }
  return table;
}

std::string render_ablations(const PredictionData& data) {
  std::vector<std::string> head{"change"};
  std::vector<const Card*> cards;
  Predictions first = data.predictions;  // of the others none was predicted with a mechanism off
  std::erase_if(first.runs, [](const PredictedRun& run) {
    return run.problem.seqlen != table_seqlen || run.config != configs_of(*find_kernel(run.kernel)).front();
  });
  const auto rows_of = [&](const Card& card, const std::string& without) {
    const std::vector<Compared> rows = against_runs(card, first, data.sweeps, without);
    return rows.empty() ? against_published(card, first, data.published, without) : rows;
  };
  for (const Card& card : all_cards()) {
    if (rows_of(card, all_ablations().front().name).empty()) continue;
    cards.push_back(&card);
    head.push_back(card.gpu + ", mean / largest error");
  }
  std::string table = markdown_head(head, 1);
  const auto add = [&](const std::string& name, const std::string& without) {
    std::vector<std::string> row{name};
    for (const Card* card : cards) {
      const Errors errors = errors_of(rows_of(*card, without));
      row.push_back(errors.rows == 0 ? nothing : fixed(errors.mean, 1) + " / " + fixed(errors.most, 1));
    }
    table += markdown_row(row);
  };
  add("as it is", "");
  for (const Ablation& ablation : all_ablations()) add(ablation.description, ablation.name);
  return table;
}

std::string render_predicted_stalls(const std::vector<const Kernel*>& steps, const Predictions& predictions) {
  constexpr double least = 0.03;  // of a share that is shown
  std::vector<const PredictedRun*> runs;
  for (const Kernel* step : steps) {
    const auto run = std::find_if(predictions.runs.begin(), predictions.runs.end(), [&](const PredictedRun& r) {
      return r.kernel == step->name && r.config == configs_of(*step).front() && r.card == "h100" && r.without.empty() &&
             r.problem.seqlen == table_seqlen;
    });
    if (run == predictions.runs.end()) throw std::runtime_error("predictions.json does not have " + step->name);
    runs.push_back(&*run);
  }
  std::vector<std::string> head{"H100, predicted", "config", "cycles for 64×64", "busiest pipe"};
  std::vector<const char*> shown;
  for (const Stall stall : all_stalls) {
    const bool is_much = std::any_of(runs.begin(), runs.end(),
                                     [&](const PredictedRun* run) { return run->stalls.at(name_of(stall)) >= least; });
    if (is_much) shown.push_back(name_of(stall));
  }
  head.insert(head.end(), shown.begin(), shown.end());
  std::string table = markdown_head(head, 2);
  for (size_t i = 0; i < runs.size(); i++) {
    const PredictedRun* const run = runs[i];
    const TileShape& tile = steps[i]->emulator().front().tile;
    const double cycles = run->cycles_of_tile * 64 * 64 / (tile.tile_rows * tile.tile_cols);
    const auto busiest = std::max_element(run->busy.begin(), run->busy.end(),
                                          [](const auto& a, const auto& b) { return a.second < b.second; });
    std::vector<std::string> row{run->kernel, run->config, grouped(static_cast<uint64_t>(std::llround(cycles))),
                                 busiest->first + ", " + fixed(100 * busiest->second, 0) + " %"};
    for (const char* name : shown) row.push_back(fixed(100 * run->stalls.at(name), 0) + " %");
    table += markdown_row(row);
  }
  return table +
         "\nFrom `docs/results/predictions.json`: cycles of an SM for 64 rows and 64 keys of a tile, the share of them "
         "in which the busiest pipe works, and what the warps do meanwhile: *issued*, or what they wait for.\n";
}

std::string render_timings() {
  std::string table = markdown_head({"figure", "A100", "RTX 3090", "H100", "source", "where"}, 1);
  for (const TimingSource& source : timing_sources()) {
    std::vector<std::string> row{"`" + std::string(source.name) + "`"};
    for (const char* arch : {"sm_80", "sm_86", "sm_90"}) {
      row.push_back(significant(timings_of(*rates_of(arch)).*source.value, 4));
    }
    row.insert(row.end(), {name_of(source.source), source.where});
    table += markdown_row(row);
  }
  return table;
}

}  // namespace flash_steps
