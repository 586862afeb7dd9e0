#include <algorithm>
#include <iostream>

#include "harness/base/error.h"
#include "harness/base/progress.h"
#include "harness/base/text.h"
#include "harness/console/machine_code.h"
#include "harness/contract/select.h"
#include "harness/measure/plan.h"
#include "harness/predict/code/stored_code.h"
#include "harness/results/meta.h"
#include "harness/runner/commands/commands.h"
#include "harness/sass/stored_lines.h"
#include "harness/sass/write.h"

namespace flash_steps {
namespace {

std::vector<const Variant*> chosen(const Kernel& kernel, const Settings& settings) {
  const Dtype dtype = settings.dtypes.empty() ? Dtype::fp16 : settings.dtypes.front();
  if (select_configs(settings.config, configs_of(kernel)).empty()) {
    throw UsageError("--config=" + settings.config + ": " + kernel.name + " has no such config; it has " +
                     join(configs_of(kernel)));
  }
  std::vector<const Variant*> variants = chosen_variants(kernel, Target::gpu, dtype, settings.config);
  if (variants.empty()) {
    throw MachineError(kernel.name + " " + settings.config +
                       " is not in this build; one with FLASH_STEPS_ALL_CONFIGS=ON has all configs");
  }
  if (settings.config.empty()) variants.resize(1);
  return variants;
}

// A file for each kernel into the folder of --json.
int write_lines(const Options& options, const Selection& kernels, const Arguments& argv, Progress& progress) {
  std::error_code error;
  std::filesystem::create_directories(*options.json, error);
  if (!std::filesystem::is_directory(*options.json, error)) {
    throw UsageError("--json=" + options.json->string() +
                     " is no folder and cannot be made one, and --lines writes a file for each kernel; "
                     "docs/results/lines would work");
  }
  for (const Kernel* kernel : kernels) {
    progress.say("disassembling " + kernel->name);
    const std::filesystem::path file = *options.json / (kernel->name + ".json");
    write_machine_lines(built_lines(*kernel, *chosen(*kernel, options.settings).front(), options.archs),
                        make_meta(argv, {}), file);
    progress.step();
    progress.clear();
    std::cout << file.string() << "\n";
  }
  return 0;
}

}  // namespace

int show_machine_code(const Options& options, const Selection& kernels, const Arguments& argv) {
  if (options.settings.dtypes.size() > 1) {
    throw UsageError("--machine-code counts one type, and --dtype has " +
                     std::to_string(options.settings.dtypes.size()) +
                     "; --dtype=" + name_of(options.settings.dtypes.front()) + " would work");
  }
  if (!options.lines) check_json(options);
  check_file("--sass", options.sass);
  Progress progress(options.verbose);
  progress.expect(static_cast<int>(kernels.size()));
  if (options.lines) return write_lines(options, kernels, argv, progress);
  std::vector<MachineCodeRow> rows;
  for (const Kernel* kernel : kernels) {
    progress.say("disassembling " + kernel->name);
    const std::vector<MachineCodeRow> more =
        read_machine_code(*kernel, chosen(*kernel, options.settings), options.archs);
    rows.insert(rows.end(), more.begin(), more.end());
    progress.step();
  }
  progress.clear();
  std::stable_sort(rows.begin(), rows.end(), [](const MachineCodeRow& a, const MachineCodeRow& b) {
    return a.code.function.arch < b.code.function.arch;
  });
  const bool to_stdout = options.json && *options.json == "-";
  print_machine_code(to_stdout ? std::cerr : std::cout, rows);
  if (options.json) write_machine_code(rows, make_meta(argv, {}), *options.json);
  if (options.sass) write_stored_code(read_encoded(rows), make_meta(argv, {}), *options.sass);
  return 0;
}

}  // namespace flash_steps
