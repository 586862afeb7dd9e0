#include "harness/pages/tables/checks/evidence.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>

#include "harness/base/json.h"
#include "harness/base/text.h"
#include "harness/contract/chapter.h"
#include "harness/contract/registry.h"
#include "harness/pages/tables/checks/errors.h"
#include "harness/pages/tables/checks/mutants.h"
#include "harness/pages/tables/markdown.h"
#include "harness/results/read.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

template <typename Items, typename Is>
std::string count(const Items& items, const Is& is) {
  return std::to_string(std::count_if(items.begin(), items.end(), is));
}

std::string mutants(const fs::path& results) {
  const auto all = read_mutants(results / "mutants.json");
  return std::to_string(all.size()) + " mutants, " +
         count(all, [](const MutantOutcome& mutant) { return mutant.verdict == "survived"; }) + " survive";
}

// Of waits, barriers and commits: what a right result alone would not show.
std::string mutants_of_synchronisation(const fs::path& results) {
  auto all = read_mutants(results / "mutants.json");
  std::erase_if(all, [](const MutantOutcome& mutant) {
    const auto begins = [&](const char* word) { return mutant.mistake.starts_with(word); };
    return !begins("wait-") && !begins("barrier-") && !begins("commit-");
  });
  return "Of the " + std::to_string(all.size()) + " mutants of waits, barriers and commits, " +
         count(all, [](const MutantOutcome& mutant) { return mutant.right_result; }) + " compute the right output";
}

std::string mutants_beyond_normal_inputs(const fs::path& results) {
  const auto all = read_mutants(results / "mutants.json");
  return count(all,
               [](const MutantOutcome& mutant) {
                 return mutant.verdict == "wrong_result" && mutant.problem.find("normal inputs") == std::string::npos;
               }) +
         " mutants";
}

std::string mutants_beyond_the_first_config(const fs::path& results) {
  const auto all = read_mutants(results / "mutants.json");
  std::map<std::string, std::map<std::string, int>> configs;
  for (const MutantOutcome& mutant : all) configs[mutant.kernel][mutant.config]++;
  int others = 0;
  for (const auto& [kernel, counts] : configs) {
    int sum = 0;
    int most = 0;  // the default config's: it is the first in which a mutant runs
    for (const auto& [config, number] : counts) {
      sum += number;
      most = std::max(most, number);
    }
    others += sum - most;
  }
  return std::to_string(others) + " mutants";
}

std::string gpu_mutants(const fs::path& results) {
  auto all = read_gpu_mutants(results / "gpu_mutants.json");
  std::erase_if(all, [](const GpuMutant& mutant) { return mutant.mistake.empty(); });
  int launches = 0;
  for (const GpuMutant::Length& length : all.front().lengths) launches += length.launches;
  const auto is_never_wrong = [](const GpuMutant& mutant) { return mutant.outcome == "right"; };
  return count(all, is_never_wrong) + " of " + std::to_string(all.size()) + " are never wrong in " +
         std::to_string(launches) + " launches on an H100";
}

// How many of the mutants a test at one length alone would let pass.
std::string gpu_mutants_by_length(const fs::path& results) {
  auto all = read_gpu_mutants(results / "gpu_mutants.json");
  std::erase_if(all, [](const GpuMutant& mutant) { return mutant.mistake.empty(); });
  std::vector<std::string> parts;
  for (size_t i = 0; i < all.front().lengths.size(); i++) {
    const auto never_wrong = [&](const GpuMutant& mutant) { return mutant.lengths.at(i).wrong == 0; };
    parts.push_back(count(all, never_wrong) + " at seqlen " + std::to_string(all.front().lengths[i].seqlen));
  }
  return "Of " + std::to_string(all.size()) + " mutants never wrong are " + join(parts);
}

// How many of those that are wrong in most launches were right in one.
std::string gpu_mutants_by_luck(const fs::path& results) {
  std::vector<GpuMutant::Length> mostly_wrong;
  for (const GpuMutant& mutant : read_gpu_mutants(results / "gpu_mutants.json")) {
    for (const GpuMutant::Length& length : mutant.lengths) {
      if (2 * length.wrong > length.launches) mostly_wrong.push_back(length);
    }
  }
  return "Of " + std::to_string(mostly_wrong.size()) + " cells of the table in which most launches are wrong, " +
         count(mostly_wrong, [](const auto& length) { return length.wrong < length.launches; }) +
         " have one that is right";
}

std::string counters(const fs::path& results) {
  const JsonFile json(results / "h100_counters.json", {"flash-steps/counter-comparison/1"});
  const std::vector<JsonNode> rows = json.root()["comparisons"].elements();
  const auto differs = [](const JsonNode& row) {
    return row["emulator"].get<uint64_t>() != row["hardware"].get<uint64_t>();
  };
  return std::to_string(rows.size()) + " comparisons on an H100, " + count(rows, differs) + " different";
}

std::string sanitizers(const fs::path& results) {
  size_t launches = 0;
  int64_t reports = 0;
  for (const Chapter& chapter : chapters()) {
    const fs::path file = results / chapter.folder / "h100_sanitizers.json";
    if (!fs::exists(file)) continue;  // of a chapter that no GPU has run yet
    const JsonFile json(file, {"flash-steps/gpu-sanitizers/1"});
    for (const JsonNode& run : json.root()["runs"].elements()) {
      launches++;
      reports += run["reports"].get<int64_t>();
    }
  }
  return std::to_string(launches) + " launches on an H100, " + std::to_string(reports) + " reports";
}

std::string determinism(const fs::path& results) {
  const Results read = read_results(results / "h100_determinism.json");
  int least = std::numeric_limits<int>::max();
  int differing = 0;
  for (const Run& run : read.runs) {
    if (!run.determinism) throw std::runtime_error("h100_determinism.json has a run that was not repeated");
    least = std::min(least, run.determinism->repeats);
    differing += !run.determinism->bit_equal;
  }
  return std::to_string(read.runs.size()) + " configs, " + std::to_string(least) + " launches each on an H100, " +
         std::to_string(differing) + " with a bit that differs";
}

std::string errors(const fs::path& results) {
  double most = 0;
  for (const ErrorTable& table : error_tables(read_results_file(results / "h100_errors.json"))) {
    for (const auto& [step, row] : table.steps) {
      for (const auto& [inputs, error] : row) {
        const auto theirs = table.fa2.find(inputs);
        if (theirs == table.fa2.end()) continue;
        most = std::max(
            {most, error_ratio(error.rms, theirs->second.rms), error_ratio(error.max_abs, theirs->second.max_abs)});
      }
    }
  }
  return "at most " + fixed(most, 2) + " times, on an H100";
}

std::string benchmark(const fs::path& results) {
  const JsonFile json(results / "emulator_benchmark.json", {"flash-steps/emulator-benchmark/1"});
  double least = std::numeric_limits<double>::infinity();
  double most = 0;
  for (const JsonNode& row : json.root()["benchmarks"].elements()) {
    const std::string name = row["name"].get<std::string>();
    if (!name.starts_with("seqlen_512/") || !name.ends_with("_median")) continue;
    least = std::min(least, row["real_time"].get<double>());
    most = std::max(most, row["real_time"].get<double>());
  }
  return fixed(least, 0) + " to " + fixed(most, 0) + " ms";
}

// What was measured of wgmma alone: a row for each of its two forms.
void for_each_wgmma(const fs::path& results, const std::function<void(const JsonNode&)>& look_at) {
  const JsonFile json(results / "beyond" / "h100_ceilings.json", {"flash-steps/ceilings/1"});
  for (const JsonNode& row : json.root()["ceilings"].elements()) {
    if (row["instruction"].get<std::string>().starts_with("wgmma")) look_at(row);
  }
}

// What wgmma alone reaches under the power limit: of each form, where its left operand is.
std::string wgmma_ceiling(const fs::path& results) {
  std::vector<std::string> forms;
  for_each_wgmma(results, [&](const JsonNode& row) {
    forms.push_back(fixed(row["held_tflops"].get<double>(), 0) + " TFLOP/s with A in " +
                    row["left_operand"].get<std::string>());
  });
  return join(forms, " and ");
}

// How much of what wgmma alone makes in a cycle of an SM the chapter's last step makes: at its clock, not at that of
// the ceiling, which draws other power.
std::string of_wgmma(const fs::path& results) {
  double cycles = 0;  // of one instruction in each of the two forms: each has half of the products
  for_each_wgmma(results, [&](const JsonNode& row) { cycles += row["cycles"].get<double>(); });
  constexpr double flop_of_wgmma = 2.0 * 64 * 128 * 16;
  const std::string last = of_chapter("beyond").back()->name;
  const Results sweep = read_results(results / "beyond" / "h100.json");
  double most = 0;
  for (const Run& run : sweep.runs) {
    if (run.kernel != last || run.problem.seqlen != table_seqlen || !run.timing) continue;
    most = std::max(most, run.timing->tflops * 1e6 / (sweep.device.sm_count * run.timing->state.sm_clock_mhz));
  }
  return fixed(100 * most / (2 * flop_of_wgmma / cycles), 0) + " %";
}

std::string votes(const fs::path& results) {
  const JsonFile json(results / "beyond" / "h100_votes.json", {"flash-steps/vote-comparison/1"});
  std::map<std::string, std::set<uint64_t>> each;  // by kernel
  uint64_t won = 0;
  for (const JsonNode& row : json.root()["votes"].elements()) {
    if (row["votes_won"].get<uint64_t>() == 0) continue;
    won += row["votes_won"].get<uint64_t>();
    each[row["kernel"].get<std::string>()].insert(row["hardware_for_each_won"].get<uint64_t>());
  }
  const auto differs = [](const auto& kernel) { return kernel.second.size() != 1; };
  return std::to_string(won) + " votes won in " + std::to_string(each.size()) +
         " kernels, on an H100 as many in all but " + count(each, differs) + " of them";
}

struct Figure {
  const char* name;
  std::string (*render)(const fs::path& results);
};

constexpr Figure all_figures[] = {{"mutants", mutants},
                                  {"mutants-of-synchronisation", mutants_of_synchronisation},
                                  {"mutants-beyond-normal-inputs", mutants_beyond_normal_inputs},
                                  {"mutants-beyond-the-first-config", mutants_beyond_the_first_config},
                                  {"gpu-mutants", gpu_mutants},
                                  {"gpu-mutants-by-length", gpu_mutants_by_length},
                                  {"gpu-mutants-by-luck", gpu_mutants_by_luck},
                                  {"counters", counters},
                                  {"sanitizers", sanitizers},
                                  {"determinism", determinism},
                                  {"errors", errors},
                                  {"wgmma-ceiling", wgmma_ceiling},
                                  {"of-wgmma", of_wgmma},
                                  {"votes", votes},
                                  {"benchmark", benchmark}};

}  // namespace

std::vector<std::string> figures() {
  std::vector<std::string> names;
  for (const Figure& figure : all_figures) names.emplace_back(figure.name);
  return names;
}

std::string render_figure(const std::string& name, const fs::path& results) {
  for (const Figure& figure : all_figures) {
    if (name == figure.name) return figure.render(results);
  }
  throw std::invalid_argument("'" + name + "' is no figure; the nearest is " + nearest(name, figures()));
}

std::string render_counters(const fs::path& results) {
  const JsonFile json(results / "h100_counters.json", {"flash-steps/counter-comparison/1"});
  const std::vector<JsonNode> rows = json.root()["comparisons"].elements();
  const auto is_of_first = [&](const JsonNode& row) {
    const JsonNode& first = rows.front();
    return row["kernel"].get<std::string>() == first["kernel"].get<std::string>() &&
           row["dtype"].get<std::string>() == first["dtype"].get<std::string>() &&
           row["seqlen"].get<int>() == first["seqlen"].get<int>();
  };
  std::string text = markdown_head({"metric", "emulator", "H100"}, 1);
  for (const JsonNode& row : rows) {
    if (!is_of_first(row)) continue;
    text += markdown_row({"`" + row["metric"].get<std::string>() + "`", grouped(row["emulator"].get<uint64_t>()),
                          grouped(row["hardware"].get<uint64_t>())});
  }
  return text;
}

}  // namespace flash_steps
