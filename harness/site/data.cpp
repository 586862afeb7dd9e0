#include "harness/site/data.h"

#include <algorithm>

#include "harness/base/error.h"
#include "harness/contract/source.h"
#include "harness/results/folder.h"
#include "harness/results/freshness.h"
#include "harness/results/read.h"

namespace flash_steps {
namespace {

// Whether each line still calls the word that was counted on it: comments may have moved the lines, and the hash of
// the code does not count them.
bool calls_its_words(const std::vector<LineCounters>& counted, const std::vector<std::string>& source) {
  return std::all_of(counted.begin(), counted.end(), [&](const LineCounters& line) {
    const std::string word = line.word.substr(0, line.word.find("_fp16"));  // of mma_fp16, which is mma_m16n8k16<T>
    const bool exists = line.line >= 1 && line.line <= static_cast<int>(source.size());
    return exists && source[line.line - 1].find(word) != std::string::npos;
  });
}

void read_counted(SiteData& data, const std::string& name) {
  const std::filesystem::path file = stored_results() / name;
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    data.complaints.push_back(file.string() + " is missing: its counters do not stand beside the lines");
    return;
  }
  const ResultsFile results = read_results_file(file);
  for (const Run& run : results.results.runs) {
    const Kernel* kernel = find_kernel(run.kernel);
    if (kernel == nullptr || data.counted.contains(run.kernel)) continue;
    const auto source = find_source(*kernel);
    CountedLines counted{run.config, describe(run.problem), {}};
    for (const LineCounters& line : run.lines) {
      if (std::filesystem::path(line.file).filename() == run.kernel + ".cu") counted.lines.push_back(line);
    }
    if (run.code != code_hash(*kernel) || !source || !calls_its_words(counted.lines, read_lines(*source))) {
      data.complaints.push_back("the counters of " + run.kernel + " in " + results.name() +
                                " are of an earlier text of it, and are left out; " + results.command() +
                                " --json=" + results.name() + " counts anew");
      continue;
    }
    data.counted[run.kernel] = std::move(counted);
  }
}

// Bounds are of tiles, and of those the kernels' code tells; what the machine code alone says is known without it.
void read_bounds(SiteData& data) {
  try {
    data.bounds = read_stored_bounds();
  } catch (const MachineError& error) {
    data.bounds = {{}, read_stored_machine_code()};
    data.complaints.push_back(std::string("the bounds are left out, for ") + error.what() +
                              ", and ./runner --table --bounds all of them");
  }
}

// Whether the lines of the products are those that call them today: comments may have moved them.
bool has_lines_of(const StoredFunction& function, const std::vector<std::string>& source) {
  const std::vector<EncodedInstruction> instructions = function.instructions();
  return std::all_of(instructions.begin(), instructions.end(), [&](const EncodedInstruction& instruction) {
    if (instruction.text.find("HMMA") == std::string::npos) return true;
    const bool exists = instruction.line >= 1 && instruction.line <= static_cast<int>(source.size());
    return exists && source[instruction.line - 1].find("mma_m16n8k16") != std::string::npos;
  });
}

// What is wrong with the stored machine code of a kernel; nothing if its tiles can be shown.
std::optional<std::string> fault_of(const StoredSass& code, const Kernel& kernel) {
  const auto source = find_source(kernel);
  const std::vector<std::string> lines = source ? read_lines(*source) : std::vector<std::string>();
  const std::string today = code_hash(kernel);
  bool is_there = false;
  for (const auto& [key, function] : code.functions) {
    if (function.kernel != kernel.name) continue;
    is_there = true;
    if (function.code != today || !has_lines_of(function, lines)) return "is of an earlier text of it";
  }
  return is_there ? std::nullopt : std::optional<std::string>("is missing");
}

// The predictor reads the sixteen.
void read_predicted(SiteData& data) {
  std::error_code error;
  if (!std::filesystem::exists(stored_code_file(), error)) {
    data.complaints.push_back(stored_code_file().string() + " is missing: no step has a timeline");
    return;
  }
  StoredSass code = read_stored_code(stored_code_file());
  for (const Kernel* kernel : of_chapter(sixteen)) {
    const auto fault = fault_of(code, *kernel);
    if (!fault) continue;
    data.complaints.push_back("the machine code of " + kernel->name + " in " + stored_code_file().string() + " " +
                              *fault + ", and it has no timeline; docs/method/prediction.md says how it is made anew");
    std::erase_if(code.functions, [&](const auto& entry) { return entry.second.kernel == kernel->name; });
  }
  data.predictor = predictor_of(std::move(code));
}

}  // namespace

std::vector<std::string> SiteData::configs_of(const std::string& kernel) const {
  std::vector<std::string> configs;
  const auto add = [&](const std::string& config) {
    if (std::find(configs.begin(), configs.end(), config) == configs.end()) configs.push_back(config);
  };
  const auto found = counted.find(kernel);
  if (found != counted.end()) add(found->second.config);
  for (const ResultsFile& file : files) {
    for (const Run& run : file.results.runs) {
      if (run.kernel == kernel) add(run.config);
    }
  }
  for (const auto& [key, code] : bounds.machine_code.codes) {
    if (std::get<0>(key) == kernel) add(std::get<1>(key));
  }
  return configs;
}

SiteData read_site_data(const std::filesystem::path& root) {
  try {
    SiteData data{read_published(), {}, {}, {}, {}, read_words(root), {}};
    TableFiles table = read_table_folder(stored_results(), data.published);
    data.files = std::move(table.files);
    data.complaints = std::move(table.complaints);
    read_bounds(data);
    read_counted(data, "emulator_lines.json");
    read_counted(data, "emulator_lines_backward.json");
    read_predicted(data);
    return data;
  } catch (const UsageError&) {
    throw;
  } catch (const MachineError&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw UsageError(error.what());
  }
}

}  // namespace flash_steps
