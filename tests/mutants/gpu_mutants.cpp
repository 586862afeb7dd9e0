// gpu_mutants: runs the mutants that it was built with on a GPU, many times each, and counts how often one is found
// out by its output, which is all that a GPU shows. scripts/gpu_mutants.sh builds and runs it.
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "benchmark/gpu_program.h"
#include "harness/base/error.h"
#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/base/progress.h"
#include "harness/base/text.h"
#include "harness/contract/module.h"
#include "harness/contract/registry.h"
#include "harness/machine/machine.h"
#include "harness/results/freshness.h"
#include "harness/results/meta.h"
#include "harness/results/write.h"
#include "harness/truth/judge.h"
#include "mutants/translation_unit.h"

namespace flash_steps::mutants {
namespace {

constexpr int lengths[] = {256, 1024, 4096};
constexpr int launches = 20;           // of a mutant at each length
constexpr int heads_and_batches = 64;  // enough CTAs to fill a GPU at the shortest length

struct Count {
  Problem problem;
  int wrong = 0;
};

// A mutant in its default config, as scripts/gpu_mutants.sh orders the configs.
struct Row {
  std::string kernel;
  std::string mistake;  // empty: the kernel as it is
  int line = 0;
  const Variant* variant = nullptr;
  std::vector<Count> counts;

  int wrong() const {
    int sum = 0;
    for (const Count& count : counts) sum += count.wrong;
    return sum;
  }
};

std::vector<Row> rows_of_registry() {
  std::vector<Row> rows;
  for (const Registered& mutant : registrations()) {  // linked with this program, and for no other machine
    const auto [mistake, line] = mistake_of(mutant.name);
    rows.push_back({kernel_of(mutant.name), mistake, line, &mutant.variants.front(), {}});
  }
  return rows;
}

Problem problem_of(const Row& row, int seqlen) {
  Problem problem;
  problem.heads = row.variant->tile.heads != 0 ? row.variant->tile.heads : 16;
  problem.batch = heads_and_batches / problem.heads;
  problem.seqlen = seqlen;
  return problem;
}

Count count_wrong(Machine& gpu, const Row& row, const Problem& problem) {
  if (const auto refusal = gpu.refusal(*row.variant, problem)) throw MachineError(*refusal);
  Count count{problem};
  for (int i = 0; i < launches; i++) count.wrong += !judge(gpu.check(*row.variant), problem.dtype).right;
  return count;
}

std::vector<Row> count_all(Machine& gpu) {
  std::vector<Row> rows = rows_of_registry();
  // One reference for all mutants of the same shape.
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.variant->tile.heads < b.variant->tile.heads; });
  Progress progress;
  for (const int seqlen : lengths) {
    std::optional<Problem> loaded;
    for (Row& row : rows) {
      const Problem problem = problem_of(row, seqlen);
      if (loaded != problem) gpu.load(problem, true);
      loaded = problem;
      progress.say(row.kernel + " " + row.mistake + " at seqlen " + std::to_string(seqlen));
      row.counts.push_back(count_wrong(gpu, row, problem));
    }
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::tie(a.kernel, a.line, a.mistake) < std::tie(b.kernel, b.line, b.mistake);
  });
  return rows;
}

void print(const std::vector<Row>& rows) {
  std::cout << pad_right("kernel", 20) << pad_right("mistake", 18) << pad_left("line", 5) << "  wrong of " << launches
            << " launches at seqlen";
  for (const int seqlen : lengths) std::cout << pad_left(std::to_string(seqlen), 6);
  std::cout << "\n";
  for (const Row& row : rows) {
    std::cout << pad_right(row.kernel, 20) << pad_right(row.mistake.empty() ? "none" : row.mistake, 18)
              << pad_left(row.mistake.empty() ? "" : std::to_string(row.line), 5) << pad_left("", 30);
    for (const Count& count : row.counts) std::cout << pad_left(std::to_string(count.wrong), 6);
    std::cout << "\n";
  }
}

Json row_json(const Row& row) {
  Json json = {{"kernel", row.kernel}};
  if (const Kernel* const kernel = find_kernel(row.kernel)) json["code"] = code_hash(*kernel);
  if (!row.mistake.empty()) json.update({{"line", row.line}, {"mistake", row.mistake}});
  json.update(
      {{"config", row.variant->tile.config}, {"launches", launches * row.counts.size()}, {"wrong", row.wrong()}});
  for (const Count& count : row.counts) {
    json["lengths"].push_back({{"batch", count.problem.batch},
                               {"heads", count.problem.heads},
                               {"seqlen", count.problem.seqlen},
                               {"launches", launches},
                               {"wrong", count.wrong}});
  }
  return json;
}

void write(const std::vector<Row>& rows, const Meta& meta, const std::string& device, const std::string& file) {
  const std::string head =
      json_head("flash-steps/gpu-mutants/1", meta) + "  \"device\": " + Json(device).dump() + ",\n  \"mutants\": [\n";
  write_file(head + json_lines(rows, row_json) + "  ]\n}\n", file);
}

// 1 if a kernel without a mistake was wrong: then the counts of its mutants say nothing.
int judge_controls(const std::vector<Row>& rows) {
  int exit_code = 0;
  for (const Row& row : rows) {
    if (!row.mistake.empty() || row.wrong() == 0) continue;
    std::cerr << "gpu_mutants: " << row.kernel << " as it is was wrong in " << row.wrong() << " launches\n";
    exit_code = 1;
  }
  return exit_code;
}

int measure(const std::string& json, const std::vector<std::string>& argv) {
  const auto gpu = make_gpu();
  const std::vector<Row> rows = count_all(*gpu);
  print(rows);
  if (!json.empty()) write(rows, make_meta(argv, gpu->device()), gpu->device().name, json);
  return judge_controls(rows);
}

}  // namespace
}  // namespace flash_steps::mutants

int main(int argc, char** argv) {
  return flash_steps::run_gpu_program("gpu_mutants", "Runs mutants of kernels on a GPU and counts the wrong results.",
                                      {argv, argv + argc}, flash_steps::mutants::measure);
}
