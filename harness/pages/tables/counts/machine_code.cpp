#include "harness/pages/tables/counts/machine_code.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "harness/base/text.h"
#include "harness/model/rates.h"
#include "harness/pages/tables/markdown.h"

namespace flash_steps {
namespace {

constexpr std::string_view config_word = "config=";

std::vector<std::string> all_columns() {
  std::vector<std::string> names = counted_names();
  names.insert(names.end(), {"registers", "spill"});
  return names;
}

// Nothing if the kernel has none that the name stands for.
std::optional<std::string> config_of(const Kernel& kernel, const std::string& name) {
  const std::vector<std::string> configs = configs_of(kernel);
  if (name.empty()) return configs.front();
  const auto stands_for = [&](const std::string& config) { return config == name || config.starts_with(name + "_"); };
  const auto found = std::find_if(configs.begin(), configs.end(), stands_for);
  return found == configs.end() ? std::nullopt : std::optional(*found);
}

// Of code for Hopper alone the name is sm_90a.
const MachineCode* find(const StoredMachineCode& stored, const Kernel& kernel, const std::string& config,
                        const std::string& arch) {
  const MachineCode* const code = stored.find(kernel.name, config, arch);
  return code != nullptr ? code : stored.find(kernel.name, config, arch + "a");
}

bool has_code_for(const std::string& arch, const Kernel& kernel) {
  const Architecture& needs = kernel.emulator().front().needs;
  return arch >= "sm_" + std::to_string(needs.major) + std::to_string(needs.minor);
}

std::string cell(const std::string& column, const MachineCode* code) {
  if (code == nullptr) return nothing;
  if (column == "registers") return std::to_string(code->function.registers);
  if (column == "spill") return std::to_string(code->function.stack_bytes);
  if (!code->whole_kernel.contains(column)) return nothing;
  return std::to_string(code->whole_kernel.at(column)) + "/" + std::to_string(code->main_loop.at(column));
}

}  // namespace

MachineCodeColumns machine_code_columns(const std::vector<std::string>& words) {
  const std::vector<std::string> all = all_columns();
  MachineCodeColumns columns;
  for (const std::string& word : words) {
    if (word.starts_with(config_word)) {
      columns.config = word.substr(config_word.size());
    } else if (std::find(all.begin(), all.end(), word) == all.end()) {
      throw std::runtime_error("there is no column " + word + "; " + join(all) + " would work");
    } else {
      columns.names.push_back(word);
    }
  }
  if (columns.names.empty()) throw std::runtime_error("no column is named; " + join(all) + " would work");
  return columns;
}

std::string render_machine_code(const std::vector<const Kernel*>& steps, const MachineCodeColumns& columns,
                                const StoredMachineCode& stored) {
  const std::vector<std::string> configs = configs_of(*steps.back());
  if (!config_of(*steps.back(), columns.config)) {
    throw std::runtime_error(steps.back()->name + " has no config " + columns.config + "; " + join(configs) +
                             " would work");
  }
  const bool with_config = configs.size() > 1;
  std::vector<std::string> head = {"step", "arch"};
  if (with_config) head.insert(head.begin() + 1, "config");
  const size_t text_columns = head.size();
  head.insert(head.end(), columns.names.begin(), columns.names.end());

  std::string table = markdown_head(head, text_columns);
  for (const Rates& rates : all_rates()) {
    if (!has_code_for(rates.arch, *steps.back())) continue;
    for (const Kernel* kernel : steps) {
      const std::string config = config_of(*kernel, columns.config).value_or(configs_of(*kernel).front());
      std::vector<std::string> row = {kernel->name, rates.arch};
      if (with_config) row.insert(row.begin() + 1, config);
      const MachineCode* code = find(stored, *kernel, config, rates.arch);
      for (const std::string& name : columns.names) row.push_back(cell(name, code));
      table += markdown_row(row);
    }
  }
  return table;
}

std::string render_machine_code_configs(const Kernel& kernel, const MachineCodeColumns& columns,
                                        const StoredMachineCode& stored) {
  if (!columns.config.empty()) throw std::runtime_error("all configs are shown, and config= asks for one");
  std::vector<std::string> head = {"config"};
  for (const std::string& name : columns.names) {
    for (const Rates& rates : all_rates()) head.push_back(name + ", " + rates.arch);
  }
  std::string table = markdown_head(head, 1);
  for (const std::string& config : configs_of(kernel)) {
    std::vector<std::string> row = {config};
    for (const std::string& name : columns.names) {
      for (const Rates& rates : all_rates()) {
        const std::string text = cell(name, stored.find(kernel.name, config, rates.arch));
        row.push_back(text.substr(text.find('/') + 1));
      }
    }
    table += markdown_row(row);
  }
  return table;
}

}  // namespace flash_steps
