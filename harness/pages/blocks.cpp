#include "harness/pages/blocks.h"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "harness/base/error.h"
#include "harness/base/file.h"
#include "harness/base/text.h"
#include "harness/contract/registry.h"
#include "harness/model/bound_stored.h"
#include "harness/model/fa2_speed.h"
#include "harness/pages/navigation.h"
#include "harness/pages/page.h"
#include "harness/pages/tables/checks/errors.h"
#include "harness/pages/tables/checks/evidence.h"
#include "harness/pages/tables/checks/mutants.h"
#include "harness/pages/tables/counts/machine_code.h"
#include "harness/pages/tables/counts/memory.h"
#include "harness/pages/tables/counts/votes.h"
#include "harness/pages/tables/model/measured_pipes.h"
#include "harness/pages/tables/model/other_problems.h"
#include "harness/pages/tables/model/pipes.h"
#include "harness/pages/tables/model/predictions.h"
#include "harness/pages/tables/times/against_cudnn.h"
#include "harness/pages/tables/times/against_standard.h"
#include "harness/pages/tables/times/ladder.h"
#include "harness/pages/tables/times/overview.h"
#include "harness/pages/tables/times/run.h"
#include "harness/pages/tables/times/shares.h"
#include "harness/pages/tables/times/steps.h"
#include "harness/pages/words.h"
#include "harness/results/folder.h"
#include "harness/results/read.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

constexpr const char* code_of_steps = "machine-code";
constexpr const char* code_of_configs = "machine-code-configs";

std::vector<const Kernel*> step_and_the_one_before(const std::string& block, const fs::path& page) {
  const Kernel& kernel = step_of(block, page);
  const Kernel* const before = step_before(kernel);
  return before == nullptr ? std::vector{&kernel} : std::vector{before, &kernel};
}

std::vector<std::string> names_of(const std::vector<const Kernel*>& steps) {
  std::vector<std::string> names;
  for (const Kernel* step : steps) names.push_back(step->name);
  return names;
}

// The step and the one before it: at the length of the table, and then at all.
std::string render_h100(const fs::path& page, const Published& published, const std::vector<ResultsFile>& files) {
  std::vector<const Kernel*> steps = step_and_the_one_before("h100", page);
  const Chapter& chapter = *steps.back()->chapter;
  if (chapter.name != sixteen && !fs::exists(stored_results(chapter) / "h100.json")) {
    return "Not timed on an H100 yet: there is no `" + stored_name(chapter, "h100.json") + "`.\n";
  }
  const Sweep sweep = h100_sweep(Dtype::fp16, published, files, chapter);
  // A chapter's first step follows one that may not have been timed beside it.
  if (steps.front()->chapter != &chapter && sweep.best_run(steps.front()->name, table_seqlen) == nullptr) {
    steps.erase(steps.begin());
  }
  const std::string table = render_steps(names_of(steps), sweep);
  if (steps.size() == 1) return table;
  const std::string lengths =
      render_by_length(*steps.front(), *steps.back(), sweep, published.seqlens, read_stored_machine_code());
  return table + (lengths.empty() ? "" : "\n" + lengths);
}

// Files whose problems are not the published ones are not among those of the table.
Results stored(const std::string& name, const std::string& block, const fs::path& page) {
  try {
    return read_results(stored_results(chapter_of(page)) / name);
  } catch (const std::runtime_error& error) {
    refuse_page(page, opening_marker(block) + " is made from " + stored_name(chapter_of(page), name) + ": " +
                          error.what() + "; the command beside the block makes it");
  }
}

std::string render_machine_code(const std::vector<std::string>& words, const std::string& block, const fs::path& page) {
  const std::vector<const Kernel*> steps = step_and_the_one_before(block, page);
  try {
    const MachineCodeColumns columns = machine_code_columns(words);
    const StoredMachineCode stored = read_stored_machine_code();
    return block == code_of_configs ? render_machine_code_configs(*steps.back(), columns, stored)
                                    : render_machine_code(steps, columns, stored);
  } catch (const std::runtime_error& error) {
    refuse_page(page, opening_marker(join({block, join(words, " ")}, " ")) + ": " + error.what());
  }
}

std::string render_shares(const std::vector<std::string>& words, const std::string& block, const fs::path& page) {
  const std::string marker = opening_marker(join({block, join(words, " ")}, " "));
  if (words.size() != 1) refuse_page(page, marker + " names no kernel with one of the ideas alone, as v90_peeled_loop");
  const Kernel& step = *step_and_the_one_before(block, page).back();
  try {
    return render_shares(step, words.front(), stored("shares/h100.json", block, page));
  } catch (const std::runtime_error& error) {
    refuse_page(page, marker + ": " + error.what());
  }
}

std::string render_run(const std::vector<std::string>& words, const fs::path& page) {
  const std::string block = join({"run", join(words, " ")}, " ");
  if (words.size() != 2)
    refuse_page(page, opening_marker(block) + " names no file and kernel; emulator.json 01_base would");
  try {
    return render_run(words[1], read_results(stored_results(chapter_of(page)) / words[0]));
  } catch (const std::runtime_error& error) {
    refuse_page(page, opening_marker(block) + ": " + error.what());
  }
}

std::string render_prediction_block(const std::string& block, const Published& published,
                                    const std::vector<ResultsFile>& files) {
  if (block == "prediction-figures") return render_timings();
  if (block == "prediction-pipes") return render_measured_pipes(read_stored_pipes());
  if (block == "prediction-latencies") return render_measured_latencies(read_stored_pipes());
  if (block == "prediction-variants") return render_other_predictions(OtherProblems(chapter("variants")));
  if (block == "prediction-variants-errors") return render_other_errors(OtherProblems(chapter("variants")));
  const PredictionData data{read_stored_predictions(), published, sweeps_of(files, published)};
  if (block == "prediction-errors") return render_prediction_errors(data);
  if (block == "prediction-aims") return render_prediction_aims(data);
  if (block == "prediction-ranks") return render_prediction_ranks(data);
  if (block == "prediction-ablations") return render_ablations(data);
  return render_predictions(data);
}

std::string render_block(const std::string& block, const Chapter& chapter, const Published& published,
                         const std::vector<ResultsFile>& files) {
  const std::vector<const Kernel*> steps = of_chapter(chapter.name);
  const auto h100 = [&] { return h100_sweep(Dtype::fp16, published, files, chapter); };
  if (block == "overview") return render_overview(steps, published, h100(), read_stored_predictions());
  if (block == "h100-ladder") return render_steps(names_of(steps), h100());
  if (block == "h100-cudnn") return render_against_cudnn(steps, h100(), published.seqlens);
  if (block == "h100-gains") return render_gains(steps, h100(), published.seqlens, read_stored_machine_code());
  if (block == "h100-published") return render_published_there(steps, published, h100());
  if (block == "rates") return render_rates();
  if (block == "pipes") return render_pipes(steps, read_stored_bounds());
  if (block == "bound") {
    return render_bound(*steps.front(), read_stored_bounds(),
                        fa2_speeds(published, sweeps_of(files, published), Dtype::fp16));
  }
  if (block == "errors") return render_errors(steps, read_results_file(errors_file()));
  if (block == "counters") return render_counters(stored_results(chapter));
  if (block == "mutants") return render_mutants(read_mutants(stored_results() / "mutants.json"));
  if (block == "mutants-by-kernel") return render_mutants_by_kernel(read_mutants(stored_results() / "mutants.json"));
  if (block.starts_with("prediction")) return render_prediction_block(block, published, files);
  if (block == "mutants-on-both") return render_mutants_on_both(stored_results(chapter));
  if (block == "gpu-mutants") return render_gpu_mutants(read_gpu_mutants(stored_results() / "gpu_mutants.json"));
  std::optional<StoredBounds> bounds;
  if (block == "bounds") bounds = read_stored_bounds();
  return render_table(steps, published, sweeps_of(files, published, steps), bounds ? &*bounds : nullptr);
}

std::string render_block(const std::string& block, const fs::path& page, const Published& published,
                         const std::vector<ResultsFile>& files) {
  if (block == "traffic") return render_traffic(stored("traffic.json", block, page));
  if (block == "memory") return render_memory(stored("h100_memory.json", block, page));
  if (block == "predicted-stalls") {
    return render_predicted_stalls(step_and_the_one_before(block, page), read_stored_predictions());
  }
  if (block == "votes") return render_votes(stored("votes.json", block, page));
  try {
    if (block == "against-standard") {
      const fs::path folder = stored_results(chapter_of(page)) / "against_standard";
      return render_against_standard(read_against_standard(folder), read_first_release(folder / "first_release.json"));
    }
    if (block == "navigation") return render_navigation(step_of(block, page));
    if (block == "h100") return render_h100(page, published, files);
    return render_block(block, chapter_of(page), published, files);
  } catch (const UsageError&) {
    throw;
  } catch (const std::runtime_error& error) {
    refuse_page(page, opening_marker(block) + ": " + error.what());
  }
}

// All that there are; they refer to what they are made from.
std::vector<PageBlock> blocks_of(const fs::path& page, const Published& published,
                                 const std::vector<ResultsFile>& files) {
  std::vector<PageBlock> blocks;
  for (const std::string name : {"table",
                                 "overview",
                                 "navigation",
                                 "h100",
                                 "h100-ladder",
                                 "h100-cudnn",
                                 "h100-gains",
                                 "h100-published",
                                 "bounds",
                                 "bound",
                                 "pipes",
                                 "rates",
                                 "traffic",
                                 "memory",
                                 "votes",
                                 "against-standard",
                                 "errors",
                                 "counters",
                                 "mutants",
                                 "mutants-by-kernel",
                                 "gpu-mutants",
                                 "mutants-on-both",
                                 "predictions",
                                 "prediction-errors",
                                 "prediction-aims",
                                 "prediction-ranks",
                                 "prediction-ablations",
                                 "prediction-figures",
                                 "prediction-variants",
                                 "prediction-variants-errors",
                                 "prediction-pipes",
                                 "prediction-latencies",
                                 "predicted-stalls"}) {
    blocks.push_back({name, [&, name](const auto&) { return render_block(name, page, published, files); }});
  }
  for (const std::string name : {code_of_steps, code_of_configs}) {
    blocks.push_back({name, [&, name](const auto& words) { return render_machine_code(words, name, page); }, true});
  }
  blocks.push_back({"shares", [&](const auto& words) { return render_shares(words, "shares", page); }, true});
  blocks.push_back({"run", [&](const auto& words) { return render_run(words, page); }, true});
  std::vector<PageBlock> within = blocks_within_lines(page, published, files);
  blocks.insert(blocks.end(), within.begin(), within.end());
  return blocks;
}

}  // namespace

fs::path errors_file() { return stored_results() / "h100_errors.json"; }

std::vector<fs::path> pages_to_update(const fs::path& target) {
  if (!fs::is_directory(target)) return {target};
  std::vector<fs::path> pages;
  for (const auto& entry : fs::recursive_directory_iterator(target)) {
    if (entry.path().extension() == ".md" && has_blocks(read_file(entry.path()))) pages.push_back(entry.path());
  }
  if (pages.empty()) refuse_page(target, "it has no page with a block to be made; docs would work");
  std::sort(pages.begin(), pages.end());
  return pages;
}

std::string updated_page(const std::string& text, const fs::path& page, const Published& published,
                         const std::vector<ResultsFile>& all_files) {
  const std::vector<ResultsFile> files = files_of(chapter_of(page), all_files);
  return with_blocks(text, page, blocks_of(page, published, files));
}

void check_blocks(const std::string& text, const fs::path& page) {
  std::vector<PageBlock> blocks = blocks_of(page, {}, {});
  for (PageBlock& block : blocks) block.render = [](const auto&) { return std::string(); };
  with_blocks(text, page, blocks);
}

std::vector<std::string> update_pages(const std::vector<fs::path>& pages, const Published& published,
                                      const std::vector<ResultsFile>& files) {
  return rewrite_pages(
      pages, [&](const std::string& text, const fs::path& page) { return updated_page(text, page, published, files); });
}

}  // namespace flash_steps
