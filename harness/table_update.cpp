#include "harness/table_update.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "harness/options.h"
#include "harness/registry.h"
#include "harness/table.h"
#include "harness/text.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

constexpr const char* block_names[] = {"table", "h100", "h100-ladder"};

std::string opening(const std::string& block) { return "<!-- " + block + " -->"; }
std::string closing(const std::string& block) { return "<!-- /" + block + " -->"; }

bool is_opening(const std::string& line) {
  return std::any_of(std::begin(block_names), std::end(block_names),
                     [&](const char* block) { return line == opening(block); });
}

[[noreturn]] void refuse(const fs::path& page, const std::string& reason) {
  throw UsageError("cannot update " + page.string() + ": " + reason);
}

const Kernel* kernel_of(const fs::path& page) {
  const auto named = [&](const Kernel& kernel) { return page.filename() == kernel.name + ".md"; };
  const auto found = std::find_if(kernels().begin(), kernels().end(), named);
  return found == kernels().end() ? nullptr : &*found;
}

std::vector<std::string> step_and_the_one_before(const fs::path& page) {
  const Kernel* kernel = kernel_of(page);
  if (!kernel) refuse(page, opening("h100") + " is for the page of a step, as in " + kernels().front().name + ".md");
  if (kernel == &kernels().front()) return {kernel->name};
  return {(kernel - 1)->name, kernel->name};
}

std::string render_h100(const std::vector<std::string>& steps, const std::string& block, const fs::path& page,
                        const Published& published, const std::vector<ResultsFile>& files) {
  const auto is_h100 = [](const ResultsFile& file) { return file.file.filename() == "h100.json"; };
  const auto h100 = std::find_if(files.begin(), files.end(), is_h100);
  if (h100 == files.end()) {
    refuse(page, opening(block) +
                     " is made from h100.json, which is not among the files; docs/results/h100.json, made "
                     "by a sweep on an H100, would work");
  }
  const std::vector<ResultsFile> alone = {*h100};
  for (const Sweep& sweep : sweeps_of(alone, published)) {
    if (sweep.dtype == Dtype::fp16) return render_steps(steps, sweep);
  }
  refuse(page, opening(block) + " shows fp16, of which " + h100->name() + " has no run");
}

std::string render_block(const std::string& block, const fs::path& page, const Published& published,
                         const std::vector<ResultsFile>& files) {
  if (block == "h100") return render_h100(step_and_the_one_before(page), block, page, published, files);
  std::vector<const Kernel*> all;
  std::vector<std::string> names;
  for (const Kernel& kernel : kernels()) {
    all.push_back(&kernel);
    names.push_back(kernel.name);
  }
  if (block == "h100-ladder") return render_h100(names, block, page, published, files);
  return render_table(all, published, sweeps_of(files, published));
}

std::string content(const fs::path& page) {
  std::ifstream stream(page, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  if (!stream) refuse(page, "it cannot be read; README.md or docs would work");
  return text;
}

}  // namespace

std::vector<fs::path> pages_to_update(const fs::path& target) {
  if (!fs::is_directory(target)) return {target};
  std::vector<fs::path> pages;
  for (const auto& entry : fs::directory_iterator(target)) {
    if (kernel_of(entry.path())) pages.push_back(entry.path());
  }
  if (pages.empty()) refuse(target, "it has no page of a step; docs would work");
  std::sort(pages.begin(), pages.end());
  return pages;
}

std::string updated_page(const std::string& text, const fs::path& page, const Published& published,
                         const std::vector<ResultsFile>& files) {
  std::string updated;
  std::string open;  // the block that the line is in, if any
  int blocks = 0;
  const std::vector<std::string> lines = split(text, '\n');
  for (size_t i = 0; i < lines.size(); i++) {
    const std::string& line = lines[i];
    const std::string line_end = i + 1 < lines.size() ? "\n" : "";
    if (!open.empty() && line == closing(open)) open.clear();
    if (!open.empty()) {
      // A marker that lies in another block would be lost with it: the block's own end is missing.
      if (is_opening(line)) break;
      continue;
    }
    updated += line + line_end;
    for (const std::string block : block_names) {
      if (line != opening(block)) continue;
      blocks++;
      open = block;
      updated += render_block(block, page, published, files);
    }
  }
  if (!open.empty()) refuse(page, "no line " + closing(open) + " follows the line " + opening(open));
  if (blocks == 0) {
    refuse(page, "it has no lines " + opening("table") + " and " + closing("table") + ", between which it would go");
  }
  return updated;
}

std::vector<std::string> update_pages(const std::vector<fs::path>& pages, const Published& published,
                                      const std::vector<ResultsFile>& files) {
  std::vector<std::string> texts;
  std::vector<std::string> before;
  for (const fs::path& page : pages) {
    before.push_back(content(page));
    texts.push_back(updated_page(before.back(), page, published, files));
  }
  std::vector<std::string> report;
  for (size_t i = 0; i < pages.size(); i++) {
    const bool changes = texts[i] != before[i];
    if (changes) write_file(texts[i], pages[i]);
    report.push_back(pages[i].string() + (changes ? ": rewritten" : ": as it should be"));
  }
  return report;
}

}  // namespace flash_steps
