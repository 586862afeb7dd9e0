#include "harness/report.h"

#include <algorithm>
#include <map>
#include <ostream>

#include "harness/text.h"

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

void print_emulated(std::ostream& out, const Run& run) {
  out << run.kernel << "  " << run.config << "  " << verdict_line(run.validation) << "\n";
  if (run.counters) print_counters(out, *run.counters);
}

std::string kilobytes(int bytes) { return significant(bytes / 1024.0, 4) + "K"; }

// The fastest of each kernel that was timed in more than one config.
std::vector<const Run*> best_configs(const std::vector<Run>& runs) {
  std::map<std::string, std::vector<const Run*>> by_kernel;
  for (const Run& run : runs) {
    if (run.timing) by_kernel[run.kernel].push_back(&run);
  }
  std::vector<const Run*> best;
  for (const auto& [kernel, timed] : by_kernel) {
    const auto faster = [](const Run* a, const Run* b) { return a->timing->median_ms < b->timing->median_ms; };
    if (timed.size() > 1) best.push_back(*std::min_element(timed.begin(), timed.end(), faster));
  }
  return best;
}

void print_gpu_table(std::ostream& out, const std::vector<Run>& runs) {
  int kernel_width = 6;
  int config_width = 6;
  for (const Run& run : runs) {
    kernel_width = std::max(kernel_width, static_cast<int>(run.kernel.size()));
    config_width = std::max(config_width, static_cast<int>(run.config.size()));
  }
  const auto row = [&](const std::string& kernel, const std::string& config, const std::vector<std::string>& cells) {
    constexpr int widths[] = {9, 16, 8, 5, 6, 6, 5, 8};
    std::string line = pad_right(kernel, kernel_width) + "  " + pad_right(config, config_width);
    for (size_t i = 0; i < cells.size(); i++) line += pad_left(cells[i], widths[i]);
    return line;
  };
  out << row("kernel", "config", {"ms", "p20-p80", "TFLOP/s", "regs", "spill", "smem", "CTAs", "err/tol"}) << "\n";

  const std::vector<const Run*> best = best_configs(runs);
  for (const Run& run : runs) {
    std::vector<std::string> cells = {run.validation.passed ? "right" : "WRONG", "", ""};
    if (run.timing) {
      cells = {fixed(run.timing->median_ms, 3), fixed(run.timing->p20_ms, 3) + "-" + fixed(run.timing->p80_ms, 3),
               fixed(run.timing->tflops, 1)};
    }
    cells.insert(cells.end(), {std::to_string(run.resources.registers), std::to_string(run.resources.spill_bytes),
                               kilobytes(run.resources.smem_bytes), std::to_string(run.resources.ctas_per_sm),
                               fixed(run.validation.max_abs_error / run.validation.tolerance, 2)});
    out << row(run.kernel, run.config, cells);
    if (std::find(best.begin(), best.end(), &run) != best.end()) out << "  best";
    if (run.timing && run.timing->throttled) out << "  throttled";
    out << "\n";
  }
}

}  // namespace

std::string describe(const Problem& problem) {
  return "batch " + std::to_string(problem.batch) + ", heads " + std::to_string(problem.heads) + ", seqlen " +
         std::to_string(problem.seqlen) + ", head_dim " + std::to_string(problem.head_dim) + ", " +
         name_of(problem.dtype) + ", " + name_of(problem.inputs) + " inputs, seed " + std::to_string(problem.seed);
}

std::string verdict_line(const Validation& validation) {
  return std::string(validation.passed ? "right" : "WRONG") + ": largest error " +
         significant(validation.max_abs_error, 2) + " (tolerance " + significant(validation.tolerance, 2) + "), rms " +
         significant(validation.rms_error, 2);
}

void print_counters(std::ostream& out, const Counters& counters) {
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
  out << "  distinct bytes of global memory: " << grouped(counters.hbm_bytes_read) << " read, "
      << grouped(counters.hbm_bytes_written) << " written\n";
}

void print_runs(std::ostream& out, const DeviceFacts& device, const std::vector<Run>& runs) {
  if (runs.empty()) return;
  out << device.name << ": " << describe(runs.front().problem) << "\n\n";
  if (device.backend == Target::gpu) {
    print_gpu_table(out, runs);
    out << "\n";
    return;
  }
  for (const Run& run : runs) {
    print_emulated(out, run);
    out << "\n";
  }
}

}  // namespace flash_steps
