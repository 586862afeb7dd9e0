#include "harness/pages/tables/model/pipes.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <sstream>

#include "harness/base/text.h"
#include "harness/console/bound.h"
#include "harness/pages/tables/markdown.h"

namespace flash_steps {
namespace {

constexpr const char* unknown = "—";

std::string cycles_text(double cycles) { return grouped(static_cast<uint64_t>(std::llround(cycles))); }

std::vector<std::string> pipes_row(const Kernel& kernel, const std::optional<ConfigBound>& highest,
                                   const std::vector<Pipe>& pipes) {
  if (!highest) return {kernel.name, unknown};
  const Bound& bound = highest->bound;
  std::vector<std::string> cells = {kernel.name, highest->config};
  for (const Pipe pipe : pipes) {
    const auto cycles = bound.cycles.find(pipe);
    const std::string text = cycles == bound.cycles.end() ? unknown : cycles_text(cycles->second);
    cells.push_back(pipe == bound.pipe ? "**" + text + "**" : text);
  }
  cells.push_back(fixed(bound.percent_of_peak, 1));
  return cells;
}

}  // namespace

std::string render_bound(const Kernel& kernel, const StoredBounds& bounds, const std::map<std::string, Fa2Speed>& fa2) {
  const Variant& variant = kernel.emulator().front();
  const auto work = bounds.works.find({kernel.name, variant.tile.config});
  if (work == bounds.works.end()) return std::string(unknown) + "\n";
  std::ostringstream text;
  text << "```\n";
  print_bound(text, variant.tile, work->second, main_loops(kernel, variant, {}, bounds.machine_code), fa2);
  text << "```\n";
  return text.str();
}

std::string render_rates() {
  struct Row {
    const char* name;
    double Rates::*rate;
  };
  constexpr Row rows[] = {{"cycles of an `mma.m16n8k16`", &Rates::product_cycles},
                          {"wavefronts", &Rates::wavefronts},
                          {"tags of L1", &Rates::tags},
                          {"lanes of MUFU", &Rates::mufu_lanes},
                          {"lanes of FFMA, FADD, FMUL", &Rates::float_lanes},
                          {"lanes of IMAD", &Rates::imad_lanes},
                          {"lanes of ALU", &Rates::alu_lanes},
                          {"instructions issued", &Rates::issued_warps}};
  std::vector<std::string> head = {"of one SM in one cycle"};
  std::vector<std::string> rule = {"---"};
  for (const Rates& rates : all_rates()) head.push_back(rates.gpu);
  rule.resize(head.size(), "---:");
  std::string table = markdown_row(head) + markdown_row(rule);
  for (const Row& row : rows) {
    std::vector<std::string> cells = {row.name};
    for (const Rates& rates : all_rates()) cells.push_back(significant(rates.*row.rate, 4));
    table += markdown_row(cells);
  }
  return table;
}

std::string render_pipes(const std::vector<const Kernel*>& kernels, const StoredBounds& bounds) {
  std::string text;
  for (const Rates& rates : all_rates()) {
    std::vector<std::optional<ConfigBound>> highest;
    for (const Kernel* kernel : kernels) highest.push_back(bounds.highest(*kernel, rates));
    std::vector<Pipe> pipes;
    std::copy_if(std::begin(all_pipes), std::end(all_pipes), std::back_inserter(pipes), [&](Pipe pipe) {
      return pipe != Pipe::l1_tags || std::any_of(highest.begin(), highest.end(), [](const auto& config) {
               return config && config->bound.cycles.contains(Pipe::l1_tags);
             });
    });
    std::vector<std::string> head = {rates.gpu, "config"};
    for (const Pipe pipe : pipes) head.push_back(name_of(pipe));
    head.push_back("% of peak");
    text += (text.empty() ? "" : "\n") + markdown_head(head, 2);
    for (size_t k = 0; k < kernels.size(); k++) text += markdown_row(pipes_row(*kernels[k], highest[k], pipes));
  }
  return text;
}

}  // namespace flash_steps
