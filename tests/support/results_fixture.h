// Results with every field, and a folder that they are written to.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/results/read.h"
#include "harness/results/results.h"
#include "harness/results/write.h"
#include "tests/support/temporary_folder.h"

namespace flash_steps {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

inline Run emulator_run() {
  Run run;
  run.kernel = "01_base";
  run.config = "64x64";
  run.problem = {2, 3, 128, 128, Dtype::bf16, InputDistribution::large, 18446744073709551615u};
  run.resources = {0, 49152, 0, 0};
  run.memory = {{.tensor_bytes = 786432}};
  run.code = "0123456789abcdef";
  run.validation = {Verdict::hazard, 0.001, 0.0001, 0.01, "fp64 on the CPU", {"a hazard"}};
  Counters counters;
  counters.ldmatrix = {1088, 34816, 4352, 0};
  counters.cp_async = {320, 1280, 1280, 5120};
  counters.shared_load = {64, 256, 256, 0};
  counters.shared_store = {256, 2048, 256, 0};
  counters.global_load = {7, 0, 0, 28};
  counters.global_store = {64, 0, 0, 1024};
  counters.mma_instructions = 2048;
  counters.shuffle_instructions = 5;
  counters.barrier_instructions = 6;
  counters.vote_instructions = 24;
  counters.votes_won = 8;
  counters.hbm_bytes_read = 98304;
  counters.hbm_bytes_written = 32768;
  run.counters = counters;
  run.determinism = Determinism{250, true};
  run.lines = {{"01_base.cu", 61, "ldmatrix_x4", 1088, 34816, 4352, 0}};
  return run;
}

inline Run gpu_run() {
  Run run;
  run.kernel = "02_swizzling";
  run.config = "64x64";
  run.resources = {202, 49152, 16, 2};
  run.memory = {{.tensor_bytes = 262144}};
  run.validation = {Verdict::right, 0.0001, 0.00001, 0.002, "fp32 on the GPU", {}};
  run.timing = TimingSummary{{1.5, 1.25, 1.75}, 1.5, 1.35, 1.65, 1.25, 320.5, {1755, 690, 61, true}, false};
  run.baselines = {{Baseline::fa2, {1.25, 384.6, 83.3, 83.4, std::nullopt}},
                   {Baseline::cudnn, {0.75, 641, 50, std::nullopt, "h100.json"}}};
  return run;
}

inline Results sample_results() {
  Results results;
  results.meta = {{"runner", "--kernel=01"}, "0123abcd", false, "2025-01-31T12:34:56Z", "GCC 12.2.0", "13.0", "580.1"};
  results.device = {Target::gpu, "NVIDIA H100", "9.0", 132, 52428800, 85899345920, 232448, 1980, 2619, "580.1"};
  results.device.mma_ceiling_tflops = 644.5;
  results.runs = {emulator_run(), gpu_run()};
  BaselineRun fa2;
  fa2.baseline = Baseline::fa2;
  fa2.problem.seqlen = 1024;
  fa2.implementation = "PyTorch 2.11.0";
  fa2.memory = {{.tensor_bytes = 1048576, .workspace_bytes = 4096}};
  fa2.validation = {Verdict::right, 0.0002, 0.00001, 0.002, "fp32 on the GPU", {}};
  fa2.timing = TimingSummary{{1.25, 1, 1.5}, 1.25, 1.1, 1.4, 1, 384.6, {1755, 650, 60, false}, true};
  BaselineRun standard;
  standard.baseline = Baseline::standard;
  standard.unavailable = "out of memory";
  standard.out_of_memory = true;
  results.baselines = {fa2, standard};
  return results;
}

class ResultsFileTest : public InTemporaryFolder {
 protected:
  fs::path file() const { return folder_ / "results.json"; }

  Json written(const Results& results) const {
    write_results(results, file());
    std::ifstream stream(file());
    return Json::parse(stream);
  }

  // The message with which reading this fails, or "accepted".
  std::string refusal(const Json& json) const {
    std::ofstream(file()) << json;
    try {
      read_results(file());
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "accepted";
  }

  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) names.push_back(entry.path().filename());
    return names;
  }
};

inline std::vector<std::string> keys(const Json& json) {
  std::vector<std::string> names;
  for (const auto& [key, value] : json.items()) names.push_back(key);
  return names;
}

}  // namespace flash_steps
