// gpu_mutants: runs the mutants in the folder beside it on a GPU, many times each, and counts how often one is found
// out by what a GPU shows: its output, an error, or that it never ends. scripts/gpu_mutants.sh builds and runs it.
#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "benchmark/gpu_program.h"
#include "harness/base/error.h"
#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/base/parallel.h"
#include "harness/base/progress.h"
#include "harness/base/text.h"
#include "harness/contract/module.h"
#include "harness/machine/machine.h"
#include "harness/results/meta.h"
#include "harness/results/write.h"
#include "harness/truth/judge.h"
#include "mutants/on_gpu/gpu_list.h"
#include "mutants/on_gpu/gpu_trial.h"

namespace flash_steps::mutants {
namespace {

constexpr const char* try_one = "--try";

constexpr int lengths[] = {256, 1024, 4096};
constexpr int launches = 20;           // of a mutant at each length
constexpr int heads_and_batches = 64;  // enough CTAs to fill a GPU at the shortest length
constexpr unsigned hangs_after = 5;    // seconds for the launches at one length, which take some milliseconds
constexpr int most_seconds = 30;       // of a mutant
constexpr int at_once = 6;

std::filesystem::path folder() { return executable().parent_path() / "mutants"; }

const Variant& variant_of(const std::string& name, const std::string& config) {
  for (const Registered& mutant : registrations()) {
    if (mutant.name != name) continue;
    for (const Variant& variant : mutant.variants) {
      if (variant.dtype == Dtype::fp16 && variant.tile.config == config) return variant;
    }
  }
  throw MachineError(name + " has no config " + config + "; building it anew would help");
}

Problem problem_of(const Variant& variant, int seqlen) {
  Problem problem;
  problem.heads = variant.tile.heads != 0 ? variant.tile.heads : 16;
  problem.batch = heads_and_batches / problem.heads;
  problem.seqlen = seqlen;
  return problem;
}

GpuCount count_wrong(Machine& gpu, const Variant& variant, const Problem& problem) {
  GpuCount count{problem.batch, problem.heads, problem.seqlen};
  alarm(hangs_after);
  for (; count.launches < launches; count.launches++) {
    count.wrong += !judge(gpu.check(variant), problem.dtype).right;
  }
  alarm(0);
  return count;
}

void say(const std::string& line) { std::cout << line << std::endl; }

// Of the mutant's own process.
void try_here(const std::string& library, const std::string& name, const std::string& config) {
  if (dlopen(library.c_str(), RTLD_NOW) == nullptr) throw MachineError(dlerror());
  const Variant& variant = variant_of(name, config);
  const auto gpu = make_gpu();
  say(line_of_device(gpu->device().name, gpu->device().driver));
  for (const int seqlen : lengths) {
    const Problem problem = problem_of(variant, seqlen);
    if (const auto refusal = gpu->refusal(variant, problem)) throw MachineError(*refusal);
    gpu->load(problem, true);
    try {
      say(line_of_count(count_wrong(*gpu, variant, problem)));
    } catch (const std::exception& error) {
      say(line_of_error(error.what()));
      _exit(0);  // what is left of the GPU's context cannot be put in order
    }
  }
}

struct Row {
  BuiltMutant mutant;
  GpuTrial trial;
};

GpuTrial try_one_apart(const BuiltMutant& mutant) {
  GpuTrial trial;
  trial.outcome = GpuOutcome::refused;
  if (mutant.library.empty()) return trial;
  return try_apart_for(
      most_seconds, {executable().string(), try_one, (folder() / mutant.library).string(), mutant.name, mutant.config});
}

// The first alone: where there is no GPU it says so.
std::vector<Row> try_all(const std::vector<BuiltMutant>& mutants) {
  std::vector<Row> rows;
  for (const BuiltMutant& mutant : mutants) rows.push_back({mutant, {}});
  if (rows.empty()) throw MachineError(folder().string() + " has no mutants; building them anew would help");
  rows[0].trial = try_one_apart(rows[0].mutant);
  if (rows[0].trial.device.empty()) throw MachineError(rows[0].trial.error);
  Progress progress;
  std::mutex mutex;
  in_parallel(static_cast<int64_t>(rows.size()) - 1, at_once, [&](int64_t i) {
    Row& row = rows[i + 1];
    {
      const std::lock_guard lock(mutex);
      progress.say(row.mutant.name);
    }
    row.trial = try_one_apart(row.mutant);
  });
  return rows;
}

void print(const std::vector<Row>& rows) {
  std::cout << pad_right("kernel", 20) << pad_right("mistake", 21) << pad_left("line", 5) << pad_left("outcome", 9)
            << "  wrong of " << launches << " launches at seqlen";
  for (const int seqlen : lengths) std::cout << pad_left(std::to_string(seqlen), 6);
  std::cout << "\n";
  for (const auto& [mutant, trial] : rows) {
    std::cout << pad_right(mutant.kernel, 20) << pad_right(mutant.is_control() ? "none" : mutant.mistake, 21)
              << pad_left(mutant.is_control() ? "" : std::to_string(mutant.line), 5)
              << pad_left(name_of(trial.outcome), 9) << pad_left("", 30);
    for (const GpuCount& count : trial.counts) std::cout << pad_left(std::to_string(count.wrong), 6);
    std::cout << (trial.error.empty() ? "" : "  " + trial.error) << "\n";
  }
}

void write(const std::vector<Row>& rows, const Meta& meta, const std::string& file) {
  const std::string head = json_head("flash-steps/gpu-mutants/1", meta) +
                           "  \"device\": " + Json(rows.front().trial.device).dump() + ",\n  \"mutants\": [\n";
  const auto row_json = [](const Row& row) { return row_of_gpu_mutant(row.mutant, row.trial); };
  write_file(head + json_lines(rows, row_json) + "  ]\n}\n", file);
}

// 1 if a kernel without a mistake is not right: then the counts of its mutants say nothing.
int judge_controls(const std::vector<Row>& rows) {
  int exit_code = 0;
  for (const auto& [mutant, trial] : rows) {
    if (!mutant.is_control() || trial.outcome == GpuOutcome::right) continue;
    std::cerr << "gpu_mutants: " << mutant.kernel << " as it is was not right: " << name_of(trial.outcome) << " "
              << trial.error << "\n";
    exit_code = 1;
  }
  return exit_code;
}

int measure(const std::string& json, const std::vector<std::string>& argv) {
  const GpuList list = read_gpu_list(folder());
  const std::vector<Row> rows = try_all(list.mutants);
  print(rows);
  DeviceFacts device;
  device.driver = rows.front().trial.driver;
  Meta meta = make_meta(argv, device);
  meta.git = list.git;  // of what was compiled, wherever it runs
  meta.dirty = list.dirty;
  if (!json.empty()) write(rows, meta, json);
  return judge_controls(rows);
}

}  // namespace
}  // namespace flash_steps::mutants

int main(int argc, char** argv) {
  using namespace flash_steps::mutants;
  if (argc == 5 && std::string(argv[1]) == try_one) {
    try {
      try_here(argv[2], argv[3], argv[4]);
      return 0;
    } catch (const std::exception& error) {
      std::cerr << error.what() << "\n";
      return 3;
    }
  }
  return flash_steps::run_gpu_program("gpu_mutants", "Runs mutants of kernels on a GPU and counts the wrong results.",
                                      {argv, argv + argc}, measure);
}
