#include "harness/pages/blocks.h"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "harness/base/file.h"
#include "harness/base/text.h"
#include "harness/console/diff.h"
#include "harness/contract/registry.h"
#include "harness/model/bound_stored.h"
#include "harness/model/fa2_speed.h"
#include "harness/pages/page.h"
#include "harness/pages/tables/errors.h"
#include "harness/pages/tables/evidence.h"
#include "harness/pages/tables/ladder.h"
#include "harness/pages/tables/machine_code.h"
#include "harness/pages/tables/memory.h"
#include "harness/pages/tables/mutants.h"
#include "harness/pages/tables/pipes.h"
#include "harness/pages/tables/shares.h"
#include "harness/results/folder.h"
#include "harness/results/read.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

std::vector<const Kernel*> step_and_the_one_before(const std::string& block, const fs::path& page) {
  const Kernel* const kernel = find_kernel(page.stem().string());
  if (kernel == nullptr) {
    refuse_page(page, opening_marker(block) + " is for the page of a step, as in " +
                          kernels().front().page_path().filename().string());
  }
  const Kernel* const before = step_before(*kernel);
  return before == nullptr ? std::vector{kernel} : std::vector{before, kernel};
}

std::string render_h100(const std::vector<const Kernel*>& steps, const std::string& block, const fs::path& page,
                        const Published& published, const std::vector<ResultsFile>& files) {
  std::vector<std::string> names;
  for (const Kernel* step : steps) names.push_back(step->name);
  const auto is_h100 = [](const ResultsFile& file) { return file.file.filename() == "h100.json"; };
  const auto h100 = std::find_if(files.begin(), files.end(), is_h100);
  if (h100 == files.end()) {
    refuse_page(page, opening_marker(block) +
                          " is made from h100.json, which is not among the files; docs/results/h100.json, made "
                          "by a sweep on an H100, would work");
  }
  const std::vector<ResultsFile> alone = {*h100};
  for (const Sweep& sweep : sweeps_of(alone, published)) {
    if (sweep.dtype == Dtype::fp16) return render_steps(names, sweep);
  }
  refuse_page(page, opening_marker(block) + " shows fp16, of which " + h100->name() + " has no run");
}

// Files whose problems are not the published ones are not among those of the table.
Results stored(const std::string& name, const std::string& block, const fs::path& page) {
  try {
    return read_results(stored_results() / name);
  } catch (const std::runtime_error& error) {
    refuse_page(page, opening_marker(block) + " is made from docs/results/" + name + ": " + error.what() +
                          "; the command beside the block makes it");
  }
}

std::string render_machine_code(const std::vector<std::string>& words, const std::string& block, const fs::path& page) {
  const std::vector<const Kernel*> steps = step_and_the_one_before(block, page);
  try {
    return render_machine_code(steps, machine_code_columns(words), read_stored_machine_code());
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

std::string render_block(const std::string& block, const Published& published, const std::vector<ResultsFile>& files) {
  const std::vector<const Kernel*> steps = of_chapter(sixteen);
  if (block == "rates") return render_rates();
  if (block == "pipes") return render_pipes(steps, read_stored_bounds());
  if (block == "bound") {
    return render_bound(*steps.front(), read_stored_bounds(),
                        fa2_speeds(published, sweeps_of(files, published), Dtype::fp16));
  }
  if (block == "errors") return render_errors(steps, read_results_file(errors_file()));
  if (block == "counters") return render_counters(stored_results());
  if (block == "mutants") return render_mutants(read_mutants(stored_results() / "mutants.json"));
  if (block == "mutants-by-kernel") return render_mutants_by_kernel(read_mutants(stored_results() / "mutants.json"));
  if (block == "gpu-mutants") return render_gpu_mutants(read_gpu_mutants(stored_results() / "gpu_mutants.json"));
  std::optional<StoredBounds> bounds;
  if (block == "bounds") bounds = read_stored_bounds();
  return render_table(steps, published, sweeps_of(files, published), bounds ? &*bounds : nullptr);
}

std::string render_change(const std::string& block, const fs::path& page) {
  const ChangedLines changed = changed_lines(*step_and_the_one_before(block, page).back());
  return std::to_string(changed.removed) + " lines go, " + std::to_string(changed.added) + " come";
}

std::string render_figure(const std::vector<std::string>& words, const fs::path& page) {
  try {
    return flash_steps::render_figure(join(words, " "), stored_results());
  } catch (const std::exception& error) {
    refuse_page(page, opening_marker(join({"figure", join(words, " ")}, " ")) + ": " + error.what());
  }
}

std::string render_block(const std::string& block, const fs::path& page, const Published& published,
                         const std::vector<ResultsFile>& files) {
  if (block == "traffic") return render_traffic(stored("traffic.json", block, page));
  if (block == "memory") return render_memory(stored("h100_memory.json", block, page));
  if (block == "h100") return render_h100(step_and_the_one_before(block, page), block, page, published, files);
  if (block == "h100-ladder") return render_h100(of_chapter(sixteen), block, page, published, files);
  try {
    return render_block(block, published, files);
  } catch (const std::runtime_error& error) {
    refuse_page(page, opening_marker(block) + ": " + error.what());
  }
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
                         const std::vector<ResultsFile>& files) {
  std::vector<PageBlock> blocks;
  for (const std::string name : {"table", "h100", "h100-ladder", "bounds", "bound", "pipes", "rates", "traffic",
                                 "memory", "errors", "counters", "mutants", "mutants-by-kernel", "gpu-mutants"}) {
    blocks.push_back({name, [&, name](const auto&) { return render_block(name, page, published, files); }});
  }
  const std::string code = "machine-code";
  blocks.push_back({code, [&](const auto& words) { return render_machine_code(words, code, page); }, true});
  blocks.push_back({"shares", [&](const auto& words) { return render_shares(words, "shares", page); }, true});
  blocks.push_back({"change", [&](const auto&) { return render_change("change", page); }, false, true});
  blocks.push_back({"figure", [&](const auto& words) { return render_figure(words, page); }, true, true});
  return with_blocks(text, page, blocks);
}

std::vector<std::string> update_pages(const std::vector<fs::path>& pages, const Published& published,
                                      const std::vector<ResultsFile>& files) {
  return rewrite_pages(
      pages, [&](const std::string& text, const fs::path& page) { return updated_page(text, page, published, files); });
}

}  // namespace flash_steps
