#include "harness/console/report.h"

#include <algorithm>
#include <ostream>
#include <set>

#include "harness/base/terminal.h"
#include "harness/base/text.h"
#include "harness/results/compare.h"

namespace flash_steps {
namespace {

// A line of right-aligned cells behind a left-aligned name.
struct CounterTable {
  std::ostream& out;

  void row(const std::string& name, const std::vector<std::string>& cells) {
    std::string line = "  " + pad_right(name, 14);
    for (const std::string& cell : cells) line += pad_left(cell, 15);
    out << trimmed(line) << "\n";
  }
};

std::string if_any(uint64_t count) { return count == 0 ? "" : grouped(count); }

void print_access(CounterTable& table, const std::string& name, const AccessCounters& access) {
  if (access.instructions == 0) return;
  const bool shared = access.wavefronts != 0;
  table.row(name, {grouped(access.instructions), if_any(access.wavefronts), if_any(access.ideal_wavefronts),
                   shared ? grouped(access.bank_conflicts()) : "", if_any(access.sectors)});
}

std::string distinct_bytes(const Counters& counters) {
  return grouped(counters.hbm_bytes_read) + " read, " + grouped(counters.hbm_bytes_written) + " written";
}

void print_launch(std::ostream& out, const LaunchCounters& launch) {
  const Counters& counters = launch.counters;
  const uint64_t read = counters.cp_async.sectors + counters.global_load.sectors;
  out << "    " << launch.function << ": " << distinct_bytes(counters) << "; sectors " << grouped(read) << " read, "
      << grouped(counters.global_store.sectors) << " written";
  if (counters.reduction_sectors > 0) out << ", " << grouped(counters.reduction_sectors) << " added to";
  if (counters.shared_wavefronts() > 0) out << "; wavefronts " << grouped(counters.shared_wavefronts());
  if (counters.mma_instructions > 0) out << "; mma " << grouped(counters.mma_instructions);
  out << "\n";
}

// Nothing where it was not asked.
std::string determinism_text(const Run& run) {
  if (!run.determinism) return "";
  return std::to_string(run.determinism->repeats) + "x " + (run.determinism->bit_equal ? "bit-equal" : "NOT bit-equal");
}

// What is not right stands out.
std::string verdict_word(Verdict verdict) {
  constexpr const char* words[] = {"right", "WRONG", "HAZARD"};
  return words[static_cast<int>(verdict)];
}

std::string kilobytes(int bytes) { return significant(bytes / 1024.0, 4) + "K"; }

// The fastest of each kernel that was timed in more than one config.
std::vector<const Run*> best_configs(const std::vector<Run>& runs) {
  std::vector<const Run*> best = best_runs(runs);
  std::erase_if(best, [&](const Run* run) {
    return std::count_if(runs.begin(), runs.end(),
                         [&](const Run& other) { return other.timing && other.kernel == run->kernel; }) == 1;
  });
  return best;
}

std::vector<std::string> time_cells(const std::optional<TimingSummary>& timing, const Validation& validation) {
  if (!timing) return {verdict_word(validation.verdict), "", ""};
  const double spread = 100 * (timing->p80_ms - timing->p20_ms) / timing->median_ms;
  return {fixed(timing->median_ms, 3), fixed(spread, 1) + "%", fixed(timing->tflops, 1)};
}

std::string error_cell(const Validation& validation) {
  return fixed(validation.max_abs_error / validation.tolerance, 2);
}

// "87.3", with a star if the baseline's time is a stored one.
std::string percent_cell(const Run& run, Baseline baseline) {
  const auto found = run.baselines.find(baseline);
  if (found == run.baselines.end()) return "";
  return fixed(found->second.shown_percent(), 1) + (found->second.stored_in ? "*" : "");
}

// Of a baseline in percent of the first one.
std::string percent_cell(const BaselineRun& run, const BaselineRun& first) {
  if (!run.timing || !first.timing) return "";
  return fixed(paired_percent(*first.timing, *run.timing), 1);
}

void print_stored_notes(std::ostream& out, const std::vector<Run>& runs, Baseline baseline) {
  std::set<std::string> files;
  for (const Run& run : runs) {
    const auto found = run.baselines.find(baseline);
    if (found != run.baselines.end() && found->second.stored_in) files.insert(*found->second.stored_in);
  }
  for (const std::string& file : files) {
    out << "* of the time of " << name_of(baseline) << " that is stored in " << file << "\n";
  }
}

void print_gpu_rows(std::ostream& out, const std::vector<Run>& runs, const std::vector<BaselineRun>& baselines) {
  int kernel_width = 6;
  int config_width = 6;
  for (const Run& run : runs) {
    kernel_width = std::max(kernel_width, static_cast<int>(run.kernel.size()));
    config_width = std::max(config_width, static_cast<int>(run.config.size()));
  }
  const std::string percent_head = baselines.empty() ? "" : std::string("% ") + name_of(baselines.front().baseline);
  const int percent_width = static_cast<int>(percent_head.size()) + 2;
  const auto row = [&](const std::string& kernel, const std::string& config, const std::vector<std::string>& cells) {
    constexpr int widths[] = {9, 8, 8, 5, 6, 6, 5, 8};
    std::string line = pad_right(kernel, kernel_width) + "  " + pad_right(config, config_width);
    for (size_t i = 0; i < cells.size(); i++)
      line += pad_left(cells[i], i < std::size(widths) ? widths[i] : percent_width);
    return line;
  };
  std::vector<std::string> head = {"ms", "spread", "TFLOP/s", "regs", "spill", "smem", "CTAs", "err/tol"};
  if (!baselines.empty()) head.push_back(percent_head);
  out << row("kernel", "config", head) << "\n";

  const std::vector<const Run*> best = best_configs(runs);
  for (const Run& run : runs) {
    std::vector<std::string> cells = time_cells(run.timing, run.validation);
    cells.insert(cells.end(), {std::to_string(run.resources.registers), std::to_string(run.resources.spill_bytes),
                               kilobytes(run.resources.smem_bytes), std::to_string(run.resources.ctas_per_sm),
                               error_cell(run.validation)});
    if (!baselines.empty()) cells.push_back(percent_cell(run, baselines.front().baseline));
    out << row(run.kernel, run.config, cells);
    if (run.determinism) out << "  " << determinism_text(run);
    if (std::find(best.begin(), best.end(), &run) != best.end()) out << "  best";
    if (run.timing && run.timing->state.throttled) out << "  throttled";
    out << "\n";
  }
  for (const BaselineRun& run : baselines) {
    const std::string name = name_of(run.baseline);
    if (run.unavailable) {
      out << shortened(pad_right(name, kernel_width) + "  " + *run.unavailable, page_width()) << "\n";
      continue;
    }
    std::vector<std::string> cells = time_cells(run.timing, run.validation);
    cells.insert(cells.end(), {"", "", "", "", error_cell(run.validation), percent_cell(run, baselines.front())});
    out << trimmed(row(name, "", cells)) << "\n";
  }
  if (!baselines.empty()) print_stored_notes(out, runs, baselines.front().baseline);
}

}  // namespace

void print_gpu_table(std::ostream& out, const std::vector<Run>& runs, const std::vector<BaselineRun>& baselines) {
  if (runs.empty()) return;
  print_gpu_rows(out, runs, baselines);
  out << "\n";
}

std::string verdict_line(const Validation& validation) {
  std::string line = verdict_word(validation.verdict) + ": ";
  if (!validation.hazards.empty()) {
    line +=
        std::to_string(validation.hazards.size()) + (validation.hazards.size() == 1 ? " hazard" : " hazards") + ", ";
  }
  const auto errors = [](const auto& of) {
    return "largest error " + significant(of.max_abs_error, 2) + " (tolerance " + significant(of.tolerance, 2) +
           "), rms " + significant(of.rms_error, 2);
  };
  if (validation.tensors.empty()) return line + errors(validation);
  std::vector<std::string> of_tensors;
  for (const auto& [output, of] : validation.tensors) {
    of_tensors.push_back(std::string(name_of(output)) + (of.right ? " " : " WRONG ") + errors(of));
  }
  return line + join(of_tensors, "; ");
}

// "vote" of "vote_instructions", "votes won" of "votes_won".
std::string spoken(std::string name) {
  const std::string instructions = "_instructions";
  if (name.ends_with(instructions)) name.resize(name.size() - instructions.size());
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

void print_counters(std::ostream& out, const Counters& counters, const std::vector<LaunchCounters>& launches) {
  CounterTable table{out};
  table.row("", {"instructions", "wavefronts", "ideal", "conflicts", "sectors"});
  print_access(table, "ldmatrix", counters.ldmatrix);
  print_access(table, "cp.async", counters.cp_async);
  print_access(table, "shared load", counters.shared_load);
  print_access(table, "shared store", counters.shared_store);
  print_access(table, "global load", counters.global_load);
  print_access(table, "global store", counters.global_store);
  const uint64_t all = counters.shared_wavefronts();
  const uint64_t ideal = counters.shared_ideal_wavefronts();
  table.row("all shared", {"", grouped(all), grouped(ideal), grouped(all - ideal)});
  table.row("mma", {grouped(counters.mma_instructions)});
  table.row("shuffle", {grouped(counters.shuffle_instructions)});
  table.row("barrier", {grouped(counters.barrier_instructions)});
  for (const RareCounter& rare : rare_counters) {
    if (counters.*rare.count > 0) table.row(spoken(rare.name), {grouped(counters.*rare.count)});
  }
  out << "  distinct bytes of global memory: " << distinct_bytes(counters) << "\n";
  for (const LaunchCounters& launch : launches) print_launch(out, launch);
}

void print_heading(std::ostream& out, const DeviceFacts& device, const Problem& problem) {
  out << wrapped(device.name + ": " + describe(problem), page_width(), 2) << "\n\n";
}

void print_emulated(std::ostream& out, const Run& run) {
  std::string line = run.kernel + "  " + run.config + "  " + verdict_line(run.validation);
  if (run.determinism) line += ", " + determinism_text(run);
  out << line << "\n";
  if (run.counters) print_counters(out, *run.counters, run.launches);
  out << "\n";
}

void print_verdict(std::ostream& out, const Run& run) {
  out << run.kernel << "  " << run.config << "  " << verdict_line(run.validation) << "\n";
}

void print_summary(std::ostream& out, const std::vector<Run>& runs) {
  const auto count = [&](Verdict verdict) {
    return std::count_if(runs.begin(), runs.end(), [&](const Run& run) { return run.validation.verdict == verdict; });
  };
  std::string line = std::to_string(count(Verdict::right)) + " right";
  if (const auto wrong = count(Verdict::wrong)) line += ", " + std::to_string(wrong) + " wrong";
  if (const auto hazards = count(Verdict::hazard)) line += ", " + std::to_string(hazards) + " with a hazard";
  const auto differ = std::count_if(runs.begin(), runs.end(),
                                    [](const Run& run) { return run.determinism && !run.determinism->bit_equal; });
  if (differ > 0) line += ", " + std::to_string(differ) + " not bit-equal";
  out << line << "\n";
}

}  // namespace flash_steps
