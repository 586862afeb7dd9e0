#include "harness/predict/predictions.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/results/folder.h"
#include "harness/results/freshness.h"
#include "harness/results/write.h"

namespace flash_steps {
namespace {

constexpr const char* predictions_schema = "flash-steps/predictions/1";

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

// To a hundredth of a percent.
double rounded(double share) { return std::round(share * 1e4) / 1e4; }

// Of a problem of the sixteen its size alone.
void add_problem(Json& json, const Problem& problem) {
  json.update({{"batch", problem.batch}, {"heads", problem.heads}, {"seqlen", problem.seqlen}});
  if (problem.keys() != problem.seqlen) json["seqlen_kv"] = problem.keys();
  if (problem.key_heads() != problem.heads) json["kv_heads"] = problem.key_heads();
  if (problem.head_dim != default_head_dim) json["head_dim"] = problem.head_dim;
  if (problem.mask != Mask::none) json["mask"] = name_of(problem.mask);
  if (problem.dropout != 0) json["dropout"] = problem.dropout;
  if (problem.padding != 0) json["padding"] = problem.padding;
}

Problem read_problem(const JsonNode& row) {
  Problem problem;
  const auto number = [&](const char* key, int otherwise) { return row.has(key) ? row[key].get<int>() : otherwise; };
  problem.batch = row["batch"].get<int>();
  problem.heads = row["heads"].get<int>();
  problem.seqlen = row["seqlen"].get<int>();
  problem.seqlen_kv = number("seqlen_kv", 0);
  problem.kv_heads = number("kv_heads", 0);
  problem.head_dim = number("head_dim", default_head_dim);
  problem.padding = number("padding", 0);
  if (row.has("mask")) problem.mask = row["mask"].get_name(all_masks);
  if (row.has("dropout")) problem.dropout = row["dropout"].get<double>();
  return problem;
}

Json row_json(const PredictedRun& run) {
  const Kernel* const kernel = find_kernel(run.kernel);
  Json json{{"kernel", run.kernel},
            {"config", run.config},
            {"code", kernel == nullptr ? "" : code_hash(*kernel)},
            {"card", run.card},
            {"without", run.without}};
  add_problem(json, run.problem);
  json.update({{"sm_clock_mhz", run.sm_clock_mhz},
               {"ctas_per_sm", run.ctas_per_sm},
               {"cycles_of_tile", run.cycles_of_tile},
               {"tflops", run.tflops},
               {"baseline_tflops", run.baseline_tflops},
               {"busy", run.busy},
               {"stalls", run.stalls},
               {"percent", or_null(run.percent)},
               {"baseline_percent", or_null(run.baseline_percent)}});
  return json;
}

PredictedRun read_row(const JsonNode& row) {
  PredictedRun run;
  run.kernel = row["kernel"].get<std::string>();
  run.config = row["config"].get<std::string>();
  run.card = row["card"].get<std::string>();
  run.without = row["without"].get<std::string>();
  run.problem = read_problem(row);
  run.sm_clock_mhz = row["sm_clock_mhz"].get<double>();
  run.ctas_per_sm = row["ctas_per_sm"].get<int>();
  run.cycles_of_tile = row["cycles_of_tile"].get<double>();
  run.tflops = row["tflops"].get<double>();
  run.baseline_tflops = row["baseline_tflops"].get<double>();
  for (const char* key : {"busy", "stalls"}) {
    std::map<std::string, double>& shares = key == std::string("busy") ? run.busy : run.stalls;
    for (const std::string& name : row[key].keys()) shares[name] = row[key][name.c_str()].get<double>();
  }
  run.percent = row["percent"].get_or_null<double>();
  run.baseline_percent = row["baseline_percent"].get_or_null<double>();
  return run;
}

}  // namespace

PredictedRun stored_form(const Prediction& prediction, const std::string& without, const std::optional<Fa2Speed>& fa2) {
  // FlashAttention-2's speed follows the clock, too.
  const auto percent = [&](double tflops) -> std::optional<double> {
    if (!fa2) return std::nullopt;
    return 100 * (tflops / prediction.sm_clock_mhz) / (fa2->tflops / fa2->sm_clock_mhz);
  };
  std::map<std::string, double> busy, stalls;
  for (const auto& [pipe, share] : prediction.busy) busy[name_of(pipe)] = rounded(share);
  for (const Stall stall : all_stalls) stalls[name_of(stall)] = rounded(prediction.stalls[static_cast<int>(stall)]);
  return {.kernel = prediction.kernel,
          .config = prediction.config,
          .card = prediction.card->name,
          .without = without,
          .problem = prediction.problem,
          .sm_clock_mhz = prediction.sm_clock_mhz,
          .ctas_per_sm = prediction.ctas_per_sm,
          .cycles_of_tile = prediction.cycles_of_tile,
          .tflops = prediction.tflops,
          .baseline_tflops = prediction.baseline_tflops,
          .busy = busy,
          .stalls = stalls,
          .percent = percent(prediction.tflops),
          .baseline_percent = percent(prediction.baseline_tflops)};
}

Predictions read_predictions(const std::filesystem::path& file) {
  const JsonFile json(file, {predictions_schema});
  Predictions predictions;
  for (const JsonNode& row : json.root()["runs"].elements()) predictions.runs.push_back(read_row(row));
  return predictions;
}

Predictions read_stored_predictions() {
  Predictions all = read_predictions(stored_results() / "predictions.json");
  for (const char* name : {"predictions_lengths.json", "predictions_without.json"}) {
    if (!std::filesystem::exists(stored_results() / name)) continue;
    for (const PredictedRun& run : read_predictions(stored_results() / name).runs) {
      const bool is_known = std::any_of(all.runs.begin(), all.runs.end(), [&](const PredictedRun& other) {
        return other.kernel == run.kernel && other.config == run.config && other.card == run.card &&
               other.without == run.without && other.problem.seqlen == run.problem.seqlen;
      });
      if (!is_known) all.runs.push_back(run);
    }
  }
  return all;
}

Predictions read_stored_predictions(const Chapter& chapter) {
  Predictions all;
  for (const std::filesystem::path& file : json_files_in(stored_results(chapter))) {
    if (!file.filename().string().starts_with("predictions")) continue;
    const Predictions more = read_predictions(file);
    all.runs.insert(all.runs.end(), more.runs.begin(), more.runs.end());
  }
  return all;
}

void write_predictions(const Predictions& predictions, const std::filesystem::path& file) {
  write_file(json_head(predictions_schema, predictions.meta) + "  \"runs\": [\n" +
                 json_lines(predictions.runs, row_json) + "  ]\n}\n",
             file);
}

}  // namespace flash_steps
