#include "harness/console/bound.h"

#include <cmath>
#include <ostream>

#include "harness/base/text.h"
#include "harness/results/folder.h"

namespace flash_steps {
namespace {

constexpr const char* unknown = "—";

std::string cycles_text(double cycles) { return grouped(static_cast<uint64_t>(std::llround(cycles))); }

std::string percent_text(double percent) { return fixed(percent, 1); }

std::string row(const std::string& name, const std::vector<std::string>& cells, const std::string& remark = "") {
  std::string line = "  " + pad_right(name, 22);
  for (const std::string& cell : cells) line += pad_left(cell, 15);
  return trimmed(line + (remark.empty() ? "" : "   " + remark)) + "\n";
}

// "ldmatrix 8,192, cp.async 256"
std::string wavefronts_text(const TileWork& work) {
  const std::pair<const char*, double> words[] = {{"ldmatrix", work.ldmatrix},
                                                  {"cp.async", work.cp_async},
                                                  {"shared load", work.shared_load},
                                                  {"shared store", work.shared_store}};
  std::vector<std::string> parts;
  for (const auto& [word, wavefronts] : words) {
    if (wavefronts > 0) parts.push_back(std::string(word) + " " + cycles_text(wavefronts));
  }
  return join(parts);
}

// "Instructions of the main loop: sm_80, sm_86 from docs/results/machine_code.json, sm_90 from this build."
std::string sources_text(const std::map<std::string, MainLoop>& loops) {
  std::map<std::string, std::vector<std::string>> archs;
  std::vector<std::string> missing;
  for (const Rates& rates : all_rates()) {
    const auto loop = loops.find(rates.arch);
    (loop == loops.end() ? missing : archs[loop->second.source]).push_back(rates.arch);
  }
  std::vector<std::string> parts;
  for (const auto& [source, of_source] : archs) parts.push_back(join(of_source) + " from " + source);
  std::string text;
  if (!parts.empty()) text += "Instructions of the main loop: " + join(parts, "; ") + ".\n";
  if (!missing.empty()) {
    text += "The machine code of this config is not known for " + join(missing) +
            ", and a pipe that is left open may bound it\nlower; a build for these would show it.\n";
  }
  return text;
}

}  // namespace

std::map<std::string, MainLoop> main_loops(const Kernel& kernel, const Variant& variant,
                                           const std::vector<MachineCodeRow>& built, const StoredMachineCode& stored) {
  std::map<std::string, MainLoop> loops;
  const std::string& config = variant.tile.config;
  for (const MachineCodeRow& row : built) {
    if (row.kernel->name == kernel.name && row.variant->tile.config == config && row.variant->dtype == variant.dtype) {
      loops[row.code.function.arch] = {row.code.main_loop, "this build"};
    }
  }
  for (const Rates& rates : all_rates()) {
    const InstructionCounts* counts = stored.main_loop(kernel.name, config, rates.arch);
    if (counts != nullptr) loops.insert({rates.arch, {*counts, stored_name(*kernel.chapter, "machine_code.json")}});
  }
  return loops;
}

void print_bound(std::ostream& out, const TileShape& tile, const TileWork& work,
                 const std::map<std::string, MainLoop>& loops, const std::map<std::string, Fa2Speed>& fa2) {
  std::vector<std::string> gpus, pipes, of_peak, of_fa2, speeds;
  std::vector<Bound> bounds;
  for (const Rates& rates : all_rates()) {
    const auto loop = loops.find(rates.arch);
    const Bound& bound =
        bounds.emplace_back(flash_steps::bound(work, loop == loops.end() ? nullptr : &loop->second.counts, rates));
    gpus.push_back(rates.gpu);
    pipes.push_back(name_of(bound.pipe));
    of_peak.push_back(percent_text(bound.percent_of_peak));
    const auto speed = fa2.find(rates.arch);
    of_fa2.push_back(speed == fa2.end() ? unknown : percent_text(speed->second.percent(bound.percent_of_peak)));
    speeds.push_back(speed == fa2.end() ? unknown : percent_text(speed->second.percent_of_peak()));
  }

  out << "The bound: cycles that each pipe of an SM needs for one tile of " << tile.tile_rows << " queries and "
      << tile.tile_cols << " keys\n"
      << row("", gpus);
  for (const Pipe pipe : all_pipes) {
    if (pipe == Pipe::l1_tags && work.tags == 0) continue;
    std::vector<std::string> cells;
    for (const Bound& bound : bounds) {
      const auto cycles = bound.cycles.find(pipe);
      cells.push_back(cycles == bound.cycles.end() ? unknown : cycles_text(cycles->second));
    }
    out << row(name_of(pipe), cells, pipe == Pipe::shared_memory ? wavefronts_text(work) : "");
  }
  out << row("bounded by", pipes) << row("percent of peak", of_peak, "at most")
      << row("percent of FA2", of_fa2, "at most") << row("FA2, percent of peak", speeds, "as it was measured")
      << sources_text(loops) << "docs/method/bounds.md says what is counted, and where the rates are from.\n";
}

}  // namespace flash_steps
