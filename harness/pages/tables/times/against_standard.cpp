#include "harness/pages/tables/times/against_standard.h"

#include <algorithm>
#include <optional>
#include <set>

#include "harness/base/json.h"
#include "harness/base/text.h"
#include "harness/pages/tables/markdown.h"
#include "harness/results/read.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

constexpr const char* series_names[] = {"dropout and padding", "padding", "neither"};
constexpr const char* ours = "kernels";

// Of one pass the fastest, of both their sum.
struct Cost {
  double ms = 0;
  std::optional<int64_t> bytes;
};

struct Passes {
  std::optional<Cost> forward, backward;
  bool out_of_memory = false;  // in one of them

  void enter(const Problem& problem, double ms, const std::optional<MemoryUse>& memory) {
    std::optional<Cost>& cost = problem.pass == Pass::forward ? forward : backward;
    if (cost && cost->ms <= ms) return;
    cost = Cost{ms, memory ? std::optional(memory->peak_bytes()) : std::nullopt};
  }

  // They hold the most that one of them holds.
  std::optional<Cost> both() const {
    if (!forward || !backward) return std::nullopt;
    Cost cost{forward->ms + backward->ms, std::nullopt};
    if (forward->bytes && backward->bytes) cost.bytes = std::max(*forward->bytes, *backward->bytes);
    return cost;
  }
};

using BySeqlen = std::map<int, std::map<std::string, Passes>>;  // and by what computed

std::string series_of(const Problem& problem) {
  if (problem.dropout != 0) return problem.padding != 0 ? series_names[0] : "";
  return problem.padding != 0 ? series_names[1] : series_names[2];
}

std::map<std::string, BySeqlen> collected(const std::vector<Results>& all) {
  std::map<std::string, BySeqlen> found;
  const auto passes = [&](const Problem& problem, const char* name) -> Passes& {
    return found[series_of(problem)][problem.seqlen][name];
  };
  for (const Results& results : all) {
    for (const Run& run : results.runs) {
      const bool has_lse = run.problem.pass == Pass::backward || run.validation.tensors.count(Output::lse) != 0;
      if (!run.timing || !run.validation.right() || !has_lse) continue;
      passes(run.problem, ours).enter(run.problem, run.timing->median_ms, run.memory);
    }
    for (const BaselineRun& run : results.baselines) {
      if (run.out_of_memory) passes(run.problem, name_of(run.baseline)).out_of_memory = true;
      if (!run.timing) continue;
      passes(run.problem, name_of(run.baseline)).enter(run.problem, run.timing->median_ms, run.memory);
    }
  }
  return found;
}

std::optional<Cost> cost(const BySeqlen& rows, int seqlen, const std::string& name) {
  const auto row = rows.find(seqlen);
  if (row == rows.end() || row->second.count(name) == 0) return std::nullopt;
  return row->second.at(name).both();
}

std::string times(double ratio) { return fixed(ratio, ratio < 10 ? 2 : 1); }

std::string published_cell(const std::map<int, double>& row, int seqlen) {
  const auto found = row.find(seqlen);
  return found == row.end() ? nothing : times(found->second);
}

std::string speedup_table(const std::map<std::string, BySeqlen>& found, const FirstRelease& published) {
  std::vector<std::string> head = {"times faster, at seqlen"};
  std::set<int> seqlens;
  for (const char* series : series_names) {
    head.insert(head.end(), {series, "published"});
    if (found.count(series) == 0) continue;
    for (const auto& [seqlen, row] : found.at(series)) {
      if (cost(found.at(series), seqlen, "pytorch") && cost(found.at(series), seqlen, ours)) seqlens.insert(seqlen);
    }
  }
  std::string table = markdown_head(head, 1);
  for (const int seqlen : seqlens) {
    std::vector<std::string> row = {std::to_string(seqlen)};
    for (const char* series : series_names) {
      const BySeqlen& rows = found.count(series) != 0 ? found.at(series) : BySeqlen();
      const auto theirs = cost(rows, seqlen, "pytorch");
      const auto mine = cost(rows, seqlen, ours);
      row.push_back(theirs && mine ? times(theirs->ms / mine->ms) : nothing);
      row.push_back(published_cell(published.speedup.at(series), seqlen));
    }
    table += markdown_row(row);
  }
  return table;
}

std::string memory_cell(const std::map<std::string, Passes>& row, const std::string& name) {
  const auto found = row.find(name);
  if (found == row.end()) return nothing;
  if (found->second.out_of_memory) return "out of memory";
  const auto cost = found->second.both();
  return cost && cost->bytes ? fixed(static_cast<double>(*cost->bytes) / 1048576, 1) : nothing;
}

// Of the series that has the most in it, as in the published picture.
std::string memory_table(const std::string& series, const BySeqlen& rows, const FirstRelease& published) {
  std::string table = markdown_head({"MiB, " + series, "pytorch", "standard", ours, "times less", "published"}, 1);
  for (const auto& [seqlen, row] : rows) {
    const auto mine = cost(rows, seqlen, ours);
    if (!mine) continue;
    const auto theirs = cost(rows, seqlen, "pytorch");
    const bool known = theirs && theirs->bytes && mine->bytes;
    table += markdown_row(
        {std::to_string(seqlen), memory_cell(row, "pytorch"), memory_cell(row, "standard"), memory_cell(row, ours),
         known ? times(static_cast<double>(*theirs->bytes) / static_cast<double>(*mine->bytes)) : nothing,
         published_cell(published.memory_ratio, seqlen)});
  }
  return table;
}

bool has_both(const BySeqlen& rows) {
  return std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return cost(rows, row.first, ours); });
}

std::map<int, double> by_seqlen(const std::vector<int>& seqlens, const JsonNode& node) {
  const auto values = node.get_list<double>();
  if (values.size() != seqlens.size()) node.fail("has another number of values than seqlens");
  std::map<int, double> row;
  for (size_t i = 0; i < seqlens.size(); i++) row[seqlens[i]] = values[i];
  return row;
}

}  // namespace

FirstRelease read_first_release(const fs::path& file) {
  const JsonFile json(file, {"flash-steps/first-release/1"});
  const JsonNode root = json.root();
  const auto seqlens = root["seqlens"].get_list<int>();
  FirstRelease published;
  for (const char* series : series_names) published.speedup[series] = by_seqlen(seqlens, root["speedup"][series]);
  published.memory_ratio = by_seqlen(seqlens, root["memory_ratio"]);
  return published;
}

std::vector<Results> read_against_standard(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const bool is_published = entry.path().filename() == "first_release.json";
    if (entry.path().extension() == ".json" && !is_published) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<Results> results;
  for (const fs::path& file : files) results.push_back(read_results(file));
  return results;
}

std::string render_against_standard(const std::vector<Results>& results, const FirstRelease& published) {
  const std::map<std::string, BySeqlen> found = collected(results);
  for (const char* series : series_names) {
    if (found.count(series) == 0 || !has_both(found.at(series))) continue;
    return speedup_table(found, published) + "\n" + memory_table(series, found.at(series), published);
  }
  return "Not timed yet: there are no results in `docs/results/variants/against_standard`, which "
         "`scripts/against_standard.sh docs/results/variants/against_standard` makes.\n";
}

}  // namespace flash_steps
