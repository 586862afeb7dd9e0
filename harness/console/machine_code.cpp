#include "harness/console/machine_code.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>
#include <thread>

#include "harness/base/progress.h"
#include "harness/base/text.h"
#include "harness/sass/cuobjdump.h"

namespace flash_steps {
namespace {

using Json = nlohmann::ordered_json;

std::vector<const Variant*> chosen_variants(const Kernel& kernel, const Options& options) {
  const Dtype dtype = options.dtypes.empty() ? Dtype::fp16 : options.dtypes.front();
  std::vector<const Variant*> chosen;
  for (const Variant& variant : kernel.gpu) {
    if (variant.dtype != dtype) continue;
    if (options.config.empty() && !chosen.empty()) break;
    if (options.config.empty() || options.config == "all" || options.config == variant.tile.config) {
      chosen.push_back(&variant);
    }
  }
  if (chosen.empty()) {
    throw MachineError(kernel.name + " " + options.config +
                       " is not in this build; one with FLASH_STEPS_ALL_CONFIGS=ON has all configs");
  }
  return chosen;
}

std::vector<std::string> chosen_archs(const std::vector<DeviceFunction>& functions, const Options& options) {
  std::set<std::string> there_are;
  for (const DeviceFunction& function : functions) there_are.insert(function.arch);
  const std::vector<std::string> all(there_are.begin(), there_are.end());
  for (const std::string& arch : options.archs) {
    if (!there_are.contains(arch)) {
      throw MachineError("--arch=" + arch + " is not in this build, which has " + join(all) +
                         "; CMAKE_CUDA_ARCHITECTURES chooses what is built");
    }
  }
  return options.archs.empty() ? all : options.archs;
}

const DeviceFunction& function_of(const Kernel& kernel, const Variant& variant, const std::string& arch,
                                  const std::vector<DeviceFunction>& functions) {
  const DeviceFunction* found = nullptr;
  for (const DeviceFunction& function : functions) {
    if (function.arch != arch || !is_symbol_of(function.symbol, kernel, variant)) continue;
    if (found != nullptr) {
      throw MachineError(kernel.name + " " + variant.tile.config + " could be " + found->symbol + " or " +
                         function.symbol + "; a config whose name holds its template arguments would be one of them");
    }
    found = &function;
  }
  if (found == nullptr) {
    throw MachineError("no function of this build for " + arch + " is " + kernel.name + " " + variant.tile.config +
                       "; a config whose name holds its template arguments would be found");
  }
  return *found;
}

// Calls work(i) for each i below count, on all cores. The first exception ends it.
template <typename Work>
void in_parallel(size_t count, const Work& work) {
  std::atomic<size_t> next = 0;
  std::atomic<bool> failed = false;
  std::exception_ptr failure;
  const auto take_turns = [&] {
    for (size_t i = next++; i < count && !failed; i = next++) {
      try {
        work(i);
      } catch (...) {
        if (!failed.exchange(true)) failure = std::current_exception();
      }
    }
  };
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < std::max(1u, std::thread::hardware_concurrency()); t++) threads.emplace_back(take_turns);
  for (std::thread& thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
}

// The row of the kernel before to compare a row with. 16_static_stride's configs have one more part in their names.
const MachineCodeRow* row_before(const MachineCodeRow& row, const std::vector<MachineCodeRow>& rows) {
  const Kernel* before = nullptr;
  for (const MachineCodeRow& other : rows) {
    if (other.kernel->number() < row.kernel->number()) before = other.kernel;
    if (other.kernel == row.kernel) break;
  }
  const MachineCodeRow* first = nullptr;
  const MachineCodeRow* related = nullptr;
  for (const MachineCodeRow& other : rows) {
    if (other.kernel != before || other.code.function.arch != row.code.function.arch) continue;
    const std::string& config = other.variant->tile.config;
    if (config == row.variant->tile.config) return &other;
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

void print_line(std::ostream& out, const std::string& label, const std::vector<std::string>& cells) {
  std::string line = pad_right(label, 6);
  for (size_t i = 0; i < cells.size(); i++) {
    const std::string& name = counted_names()[i];
    line += " " + pad_left(cells[i], std::max(4, static_cast<int>(name.size())));
  }
  out << trimmed(line) << "\n";
}

std::string signed_number(int number) { return (number > 0 ? "+" : "") + std::to_string(number); }

void print_counts(std::ostream& out, const std::string& label, const InstructionCounts& counts,
                  const InstructionCounts* before) {
  std::vector<std::string> numbers;
  std::vector<std::string> changes;
  for (const std::string& name : counted_names()) {
    const int change = before == nullptr ? 0 : counts.at(name) - before->at(name);
    numbers.push_back(std::to_string(counts.at(name)));
    changes.push_back(change == 0 ? "" : signed_number(change));
  }
  print_line(out, label, numbers);
  if (before != nullptr && *before != counts) print_line(out, "change", changes);
}

Json counts_json(const InstructionCounts& counts) {
  Json json = Json::object();
  for (const std::string& name : counted_names()) json[name] = counts.at(name);
  return json;
}

Json row_json(const MachineCodeRow& row) {
  const MachineCode& code = row.code;
  return {{"kernel", row.kernel->name},
          {"config", row.variant->tile.config},
          {"dtype", name_of(row.variant->dtype)},
          {"arch", code.function.arch},
          {"registers", code.function.registers},
          {"stack_bytes", code.function.stack_bytes},
          {"whole_kernel", counts_json(code.whole_kernel)},
          {"main_loop", counts_json(code.main_loop)},
          {"global_accesses", code.global_accesses}};
}

}  // namespace

std::vector<MachineCodeRow> read_machine_code(const std::filesystem::path& binary,
                                              const std::vector<const Kernel*>& kernels, const Options& options) {
  if (std::all_of(kernels.begin(), kernels.end(), [](const Kernel* kernel) { return kernel->gpu.empty(); })) {
    throw MachineError("this runner has no machine code for a GPU; scripts/build.sh all builds it where there is nvcc");
  }
  const Cuobjdump cuobjdump;
  const std::vector<DeviceFunction> functions = cuobjdump.functions(binary);
  std::vector<MachineCodeRow> rows;
  for (const std::string& arch : chosen_archs(functions, options)) {
    for (const Kernel* kernel : kernels) {
      for (const Variant* variant : chosen_variants(*kernel, options)) {
        rows.push_back({kernel, variant, {function_of(*kernel, *variant, arch, functions), {}, {}, {}}});
      }
    }
  }
  Progress progress;
  progress.say("disassembling " + std::to_string(rows.size()) + " kernels");
  in_parallel(rows.size(), [&](size_t i) { rows[i].code = cuobjdump.disassemble(binary, rows[i].code.function); });
  return rows;
}

void print_machine_code(std::ostream& out, const std::vector<MachineCodeRow>& rows) {
  std::string arch;
  for (const MachineCodeRow& row : rows) {
    const DeviceFunction& function = row.code.function;
    if (function.arch != arch) {
      out << (arch.empty() ? "" : "\n");
      arch = function.arch;
      print_line(out, arch, counted_names());
    }
    const MachineCodeRow* before = row_before(row, rows);
    out << row.kernel->name << " " << row.variant->tile.config << ": " << function.registers << " registers, "
        << function.stack_bytes << " B of stack" << compared_with(row, before) << "\n";
    print_counts(out, "kernel", row.code.whole_kernel, before ? &before->code.whole_kernel : nullptr);
    print_counts(out, "loop", row.code.main_loop, before ? &before->code.main_loop : nullptr);
  }
}

void write_machine_code(const std::vector<MachineCodeRow>& rows, const Meta& meta, const std::filesystem::path& file) {
  // A row a line: the file is read by people and by diff, too.
  std::string text =
      "{\n  \"schema\": \"flash-steps/machine-code/1\",\n  \"meta\": " + to_json_text(meta) + ",\n  \"rows\": [\n";
  for (const MachineCodeRow& row : rows) {
    text += "    " + row_json(row).dump() + (&row == &rows.back() ? "\n" : ",\n");
  }
  write_file(text + "  ]\n}\n", file);
}

}  // namespace flash_steps
