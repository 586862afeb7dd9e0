#include "mutants/on_gpu/build_for_gpu.h"

#include <algorithm>
#include <map>

#include "harness/base/file.h"
#include "harness/base/parallel.h"
#include "harness/base/process.h"
#include "harness/pages/tables/checks/mutants.h"
#include "harness/results/folder.h"
#include "harness/results/freshness.h"
#include "mutants/build.h"
#include "mutants/on_gpu/ptxas.h"
#include "mutants/translation_unit.h"

namespace flash_steps::mutants {
namespace {

namespace fs = std::filesystem;

// What became of a kernel's mutants on the emulator.
std::vector<MutantOutcome> stored_outcomes(const Kernel& kernel) {
  const fs::path file = stored_results(*kernel.chapter) / "mutants.json";
  std::vector<MutantOutcome> outcomes = read_mutants(file);
  std::erase_if(outcomes, [&](const MutantOutcome& outcome) { return outcome.kernel != kernel.name; });
  if (outcomes.empty() || outcomes.front().code != code_hash(kernel)) {
    throw CatalogueError(file.string() + " does not speak of " + kernel.name +
                         ".cu as it is; the program mutants with --json would write it anew");
  }
  return outcomes;
}

// The one in which most are noticed: it is the first that is run.
std::string default_config(const std::vector<MutantOutcome>& outcomes) {
  std::map<std::string, int> counts;
  for (const MutantOutcome& outcome : outcomes) counts[outcome.config]++;
  return std::max_element(counts.begin(), counts.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

std::string config_of(const Mutant& mutant, const std::vector<MutantOutcome>& outcomes) {
  const auto found = std::find_if(outcomes.begin(), outcomes.end(), [&](const MutantOutcome& outcome) {
    return outcome.mistake == mutant.mistake && outcome.line == mutant.line && outcome.after == mutant.after;
  });
  return found == outcomes.end() || found->config.empty() ? default_config(outcomes) : found->config;
}

// In fp16 alone.
std::string unit_of(const Mutant& mutant, int number) {
  static const std::string list = "variants<";
  std::string unit = translation_unit({mutant}, number);
  const size_t at = unit.rfind(list);
  if (at == std::string::npos) throw CatalogueError(mutant.kernel + ".cu has no list of variants<…>");
  return unit.replace(at, list.size(), "variants_in_fp16<");
}

bool holds(const fs::path& file, const std::string& text) { return fs::exists(file) && read_file(file) == text; }

// What nvcc prints.
std::string compiled(const std::string& unit, const std::string& command, const fs::path& file) {
  const fs::path log = fs::path(file).replace_extension(".log");
  const fs::path made_by = fs::path(file).replace_extension(".command");
  if (holds(file, unit) && holds(made_by, command) && fs::exists(log)) return read_file(log);
  for (const char* made : {".log", ".so"}) fs::remove(fs::path(file).replace_extension(made));
  write_file(unit, file);
  write_file(command, made_by);
  const auto nvcc = run_process({"sh", "-c", command});
  if (!nvcc) throw std::runtime_error("there is no sh to start the compiler with");
  write_file(nvcc->output, log);
  return nvcc->output;
}

// What the build compiles the kernel with, without what a profiler wants to know, which is half of a library.
std::string command_for(const Kernel& kernel) {
  static const std::string lines = " -lineinfo";
  std::string command = compile_command("kernel_" + kernel.name + "_gpu");
  const size_t at = command.find(lines);
  if (at != std::string::npos) command.erase(at, lines.size());
  return command + " -include '" FLASH_STEPS_SOURCE_DIR "/tests/mutants/only_fp16.cuh'";
}

std::string number_of(int number) { return (number < 10 ? "0" : "") + std::to_string(number); }

}  // namespace

std::vector<BuiltMutant> build_for_gpu(const Kernel& kernel, const std::vector<Mutant>& mutants,
                                       const fs::path& folder) {
  const std::vector<MutantOutcome> outcomes = stored_outcomes(kernel);
  const std::string command = command_for(kernel);
  std::vector<BuiltMutant> built(mutants.size());
  in_parallel(static_cast<int64_t>(mutants.size()), 0, [&](int64_t i) {
    const Mutant& mutant = mutants[i];
    const int number = static_cast<int>(i);
    const fs::path file = folder / (kernel.name + "_" + number_of(number) + ".cu");
    const fs::path library = fs::path(file).replace_extension(".so");
    const std::string config = config_of(mutant, outcomes);
    const bool in_default = config == default_config(outcomes);
    const std::string printed =
        compiled(unit_of(mutant, number),
                 command + (in_default ? "" : " -UFLASH_STEPS_DEFAULT_CONFIGS_ONLY") +
                     " -shared -cudart shared -Xlinker=-s -o '" + library.string() + "' '" + file.string() + "' 2>&1",
                 file);
    built[i] = {kernel.name,        code_hash(kernel),      mutant.mistake, mutant.line,
                mutant.before,      mutant.after,           config,         registered_name(number, mutant),
                library.filename(), ptxas_messages(printed)};
    if (fs::exists(library)) return;
    built[i].library.clear();
    const auto refuses = [](const std::string& message) { return code_of_message(message) == "error"; };
    if (std::none_of(built[i].messages.begin(), built[i].messages.end(), refuses)) {
      throw CatalogueError(describe(mutant) + " does not compile for the GPU:\n" + printed);
    }
  });
  return built;
}

}  // namespace flash_steps::mutants
