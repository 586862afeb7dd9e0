#include "harness/console/machine_code.h"

#include <algorithm>
#include <iterator>
#include <ostream>

#include "harness/base/terminal.h"
#include "harness/base/text.h"

namespace flash_steps {
namespace {

// sm_90 of sm_90a, which is code for the same GPU.
std::string gpu_of(const MachineCodeRow& row) {
  const std::string& arch = row.code.function.arch;
  return arch.ends_with('a') ? arch.substr(0, arch.size() - 1) : arch;
}

// The row of the step before, or of the last one before it that was chosen, to compare a row with. 16_static_stride's
// configs have one more part in their names.
const MachineCodeRow* row_before(const MachineCodeRow& row, const std::vector<MachineCodeRow>& rows) {
  const auto is_there = [&](const Kernel* kernel) {
    return std::any_of(rows.begin(), rows.end(), [&](const MachineCodeRow& other) { return other.kernel == kernel; });
  };
  const Kernel* before = step_before(*row.kernel);
  while (before != nullptr && !is_there(before)) before = step_before(*before);
  const MachineCodeRow* first = nullptr;
  const MachineCodeRow* related = nullptr;
  for (const MachineCodeRow& other : rows) {
    if (other.kernel != before || gpu_of(other) != gpu_of(row)) continue;
    const std::string& config = other.variant->tile.config;
    if (config == row.variant->tile.config && other.function == row.function) return &other;
    if (first == nullptr) first = &other;
    if (related == nullptr && row.variant->tile.config.starts_with(config + "_")) related = &other;
  }
  return related != nullptr ? related : first;
}

std::string compared_with(const MachineCodeRow& row, const MachineCodeRow* before) {
  if (before == nullptr) return "";
  const std::string& config = before->variant->tile.config;
  return ", against " + before->kernel->name + (config == row.variant->tile.config ? "" : " " + config);
}

using Names = std::vector<std::string>;

// Columns that have nothing to show before Hopper are there only where one of its kernels is.
Names names_for(const std::vector<MachineCodeRow>& rows) {
  const auto is_empty = [&](const std::string& name) {
    return is_of_hopper(name) && std::all_of(rows.begin(), rows.end(), [&](const MachineCodeRow& row) {
             return row.code.whole_kernel.at(name) == 0;
           });
  };
  Names names;
  std::remove_copy_if(counted_names().begin(), counted_names().end(), std::back_inserter(names), is_empty);
  return names;
}

// On as many lines as the page needs.
void print_line(std::ostream& out, const std::string& label, const Names& names,
                const std::vector<std::string>& cells) {
  constexpr int label_width = 6;
  std::string line = pad_right(label, label_width);
  for (size_t i = 0; i < cells.size(); i++) {
    const std::string cell = " " + pad_left(cells[i], std::max(4, width_of(names[i])));
    if (width_of(line) + width_of(cell) > page_width()) {
      out << trimmed(line) << "\n";
      line = pad_right("", label_width);
    }
    line += cell;
  }
  if (line.find_first_not_of(' ') != std::string::npos) out << trimmed(line) << "\n";
}

std::string signed_number(int number) { return (number > 0 ? "+" : "") + std::to_string(number); }

void print_counts(std::ostream& out, const std::string& label, const Names& names, const InstructionCounts& counts,
                  const InstructionCounts* before) {
  std::vector<std::string> numbers;
  std::vector<std::string> changes;
  for (const std::string& name : names) {
    const int change = before == nullptr ? 0 : counts.at(name) - before->at(name);
    numbers.push_back(std::to_string(counts.at(name)));
    changes.push_back(change == 0 ? "" : signed_number(change));
  }
  print_line(out, label, names, numbers);
  if (before != nullptr && *before != counts) print_line(out, "change", names, changes);
}

// Whether a variant has more than this function.
bool has_several(const MachineCodeRow& row, const std::vector<MachineCodeRow>& rows) {
  return std::any_of(rows.begin(), rows.end(), [&](const MachineCodeRow& other) {
    return other.variant == row.variant && other.function != row.function;
  });
}

}  // namespace

void print_machine_code(std::ostream& out, const std::vector<MachineCodeRow>& rows) {
  const Names names = names_for(rows);
  std::string arch;
  for (const MachineCodeRow& row : rows) {
    const DeviceFunction& function = row.code.function;
    if (function.arch != arch) {
      out << (arch.empty() ? "" : "\n");
      arch = function.arch;
      print_line(out, arch, names, names);
    }
    const MachineCodeRow* before = row_before(row, rows);
    out << row.kernel->name << " " << row.variant->tile.config << (has_several(row, rows) ? " " + row.function : "")
        << ": " << function.registers << " registers, " << function.stack_bytes << " B of stack"
        << compared_with(row, before) << "\n";
    print_counts(out, "kernel", names, row.code.whole_kernel, before ? &before->code.whole_kernel : nullptr);
    print_counts(out, "loop", names, row.code.main_loop, before ? &before->code.main_loop : nullptr);
  }
}

}  // namespace flash_steps
