// Results: the JSON file, its schema, and the statistics of samples.
#include "harness/results/results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/statistics.h"
#include "harness/results/compare.h"
#include "harness/results/meta.h"
#include "harness/results/read.h"
#include "harness/results/write.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using testing::ElementsAre;
using testing::HasSubstr;

Run emulator_run() {
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
  counters.hbm_bytes_read = 98304;
  counters.hbm_bytes_written = 32768;
  run.counters = counters;
  run.determinism = Determinism{250, true};
  run.lines = {{"01_base.cu", 61, "ldmatrix_x4", 1088, 34816, 4352, 0}};
  return run;
}

Run gpu_run() {
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

Results sample_results() {
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

class ResultsFile : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / (std::string("flash_steps_results_") + test->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

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

  fs::path folder_;
};

std::vector<std::string> keys(const Json& json) {
  std::vector<std::string> names;
  for (const auto& [key, value] : json.items()) names.push_back(key);
  return names;
}

TEST_F(ResultsFile, SurvivesTheRoundTrip) {
  const Results before = sample_results();
  write_results(before, file());
  const Results after = read_results(file());

  EXPECT_EQ(after.meta, before.meta);
  EXPECT_EQ(after.device.backend, before.device.backend);
  EXPECT_EQ(after.device.name, before.device.name);
  EXPECT_EQ(after.device.compute_capability, before.device.compute_capability);
  EXPECT_EQ(after.device.sm_count, before.device.sm_count);
  EXPECT_EQ(after.device.l2_bytes, before.device.l2_bytes);
  EXPECT_EQ(after.device.memory_bytes, before.device.memory_bytes);
  EXPECT_EQ(after.device.smem_bytes_per_cta, before.device.smem_bytes_per_cta);
  EXPECT_EQ(after.device.sm_clock_max_mhz, before.device.sm_clock_max_mhz);
  EXPECT_EQ(after.device.memory_clock_max_mhz, before.device.memory_clock_max_mhz);
  EXPECT_EQ(after.device.driver, before.device.driver);
  EXPECT_EQ(after.device.mma_ceiling_tflops, 644.5);

  ASSERT_EQ(after.runs.size(), before.runs.size());
  for (size_t i = 0; i < before.runs.size(); i++) {
    const flash_steps::Run &a = before.runs[i], &b = after.runs[i];
    EXPECT_EQ(a.kernel, b.kernel);
    EXPECT_EQ(a.config, b.config);
    EXPECT_EQ(a.problem, b.problem);
    EXPECT_EQ(a.resources.registers, b.resources.registers);
    EXPECT_EQ(a.resources.smem_bytes, b.resources.smem_bytes);
    EXPECT_EQ(a.resources.spill_bytes, b.resources.spill_bytes);
    EXPECT_EQ(a.resources.ctas_per_sm, b.resources.ctas_per_sm);
    EXPECT_EQ(a.memory, b.memory);
    EXPECT_EQ(a.code, b.code);
    EXPECT_EQ(a.validation.verdict, b.validation.verdict);
    EXPECT_EQ(a.validation.hazards, b.validation.hazards);
    EXPECT_EQ(a.validation.max_abs_error, b.validation.max_abs_error);
    EXPECT_EQ(a.validation.rms_error, b.validation.rms_error);
    EXPECT_EQ(a.validation.tolerance, b.validation.tolerance);
    EXPECT_EQ(a.validation.reference, b.validation.reference);
    EXPECT_EQ(a.determinism, b.determinism);
    EXPECT_EQ(a.counters, b.counters);
    EXPECT_EQ(a.lines.size(), b.lines.size());
    EXPECT_EQ(a.timing.has_value(), b.timing.has_value());
  }
  const LineCounters& line = after.runs[0].lines.at(0);
  EXPECT_EQ(line.file, "01_base.cu");
  EXPECT_EQ(line.line, 61);
  EXPECT_EQ(line.word, "ldmatrix_x4");
  EXPECT_EQ(line.wavefronts, 34816u);
  const TimingSummary& timing = *after.runs[1].timing;
  EXPECT_THAT(timing.samples_ms, ElementsAre(1.5, 1.25, 1.75));
  EXPECT_EQ(timing.median_ms, 1.5);
  EXPECT_EQ(timing.p20_ms, 1.35);
  EXPECT_EQ(timing.p80_ms, 1.65);
  EXPECT_EQ(timing.min_ms, 1.25);
  EXPECT_EQ(timing.tflops, 320.5);
  EXPECT_EQ(timing.state, (GpuState{1755, 690, 61, true}));
}

TEST_F(ResultsFile, HasTheFieldsOfTheSchema) {
  const Json json = written(sample_results());
  EXPECT_EQ(json["schema"], "flash-steps/results/2");
  EXPECT_THAT(keys(json), ElementsAre("schema", "meta", "device", "runs", "baselines"));
  EXPECT_THAT(keys(json["meta"]), ElementsAre("argv", "git", "dirty", "date", "compiler", "cuda", "driver"));
  const Json& run = json["runs"][0];
  EXPECT_THAT(keys(run), ElementsAre("kernel", "config", "problem", "code", "resources", "memory", "validation",
                                     "timing", "baselines", "counters", "determinism", "lines"));
  EXPECT_THAT(keys(run["problem"]), ElementsAre("batch", "heads", "seqlen", "head_dim", "dtype", "inputs", "seed",
                                                "seqlen_kv", "kv_heads", "mask", "dropout", "pass"));
  EXPECT_THAT(keys(run["resources"]), ElementsAre("registers", "smem_bytes", "spill_bytes", "ctas_per_sm"));
  EXPECT_THAT(keys(run["memory"]), ElementsAre("peak_bytes", "tensor_bytes", "workspace_bytes"));
  EXPECT_THAT(keys(run["validation"]),
              ElementsAre("verdict", "max_abs_error", "rms_error", "tolerance", "reference", "hazards"));
  EXPECT_TRUE(run["timing"].is_null());
  EXPECT_TRUE(run["baselines"].is_null());
  const Json& timed = json["runs"][1];
  EXPECT_THAT(keys(timed["timing"]),
              ElementsAre("samples_ms", "median_ms", "p20_ms", "p80_ms", "min_ms", "tflops", "sm_clock_mhz",
                          "power_watts", "temperature_celsius", "throttled", "full_budget"));
  EXPECT_THAT(keys(timed["baselines"]), ElementsAre("fa2", "cudnn"));
  EXPECT_THAT(keys(timed["baselines"]["fa2"]),
              ElementsAre("median_ms", "tflops", "percent", "paired_percent", "stored_in"));
  EXPECT_THAT(keys(json["baselines"][0]), ElementsAre("baseline", "problem", "unavailable", "out_of_memory",
                                                      "implementation", "memory", "validation", "timing"));
  EXPECT_TRUE(timed["counters"].is_null());
  EXPECT_THAT(keys(run["determinism"]), ElementsAre("repeats", "bit_equal"));
  EXPECT_FALSE(timed.contains("determinism"));
  EXPECT_FALSE(timed.contains("lines"));
}

TEST_F(ResultsFile, CountersHaveTheFieldsThatApplyToThem) {
  const Json counters = written(sample_results())["runs"][0]["counters"];
  EXPECT_THAT(keys(counters),
              ElementsAre("ldmatrix", "cp_async", "shared_load", "shared_store", "global_load", "global_store", "mma",
                          "shuffle", "barrier", "hbm_bytes_read", "hbm_bytes_written"));
  for (const char* shared : {"ldmatrix", "shared_load", "shared_store"}) {
    EXPECT_THAT(keys(counters[shared]),
                ElementsAre("instructions", "wavefronts", "ideal_wavefronts", "bank_conflicts"));
  }
  EXPECT_THAT(keys(counters["cp_async"]),
              ElementsAre("instructions", "wavefronts", "ideal_wavefronts", "bank_conflicts", "sectors"));
  for (const char* global : {"global_load", "global_store"}) {
    EXPECT_THAT(keys(counters[global]), ElementsAre("instructions", "sectors"));
  }
  EXPECT_EQ(counters["ldmatrix"]["bank_conflicts"], 34816 - 4352);
  EXPECT_EQ(counters["mma"]["instructions"], 2048);
}

TEST_F(ResultsFile, AnErrorThatIsNotANumberIsWrittenAsNull) {
  Results results = sample_results();
  results.runs[0].validation.verdict = Verdict::wrong;
  results.runs[0].validation.max_abs_error = std::nan("");
  EXPECT_TRUE(written(results)["runs"][0]["validation"]["max_abs_error"].is_null());
  EXPECT_TRUE(std::isnan(read_results(file()).runs[0].validation.max_abs_error));
}

TEST_F(ResultsFile, UnknownMetaIsWrittenAsNull) {
  Results results = sample_results();
  results.meta.git.reset();
  results.meta.cuda.reset();
  results.meta.driver.reset();
  results.meta.dirty.reset();
  results.device.driver = "";
  const Json meta = written(results)["meta"];
  for (const char* key : {"git", "dirty", "cuda", "driver"}) EXPECT_TRUE(meta[key].is_null()) << key;
  EXPECT_EQ(read_results(file()).meta, results.meta);
}

TEST_F(ResultsFile, ArgumentsNeedNotBeUtf8) {
  Results results = sample_results();
  results.meta.argv = {"runner", "\xff\xfe"};
  write_results(results, file());
  EXPECT_EQ(read_results(file()).meta.argv.size(), 2u);
}

// Calls visit(document, way) for the document with each one of its fields changed.
void for_each_field(const Json& document, const std::function<void(Json& parent, const std::string& key)>& change,
                    const std::function<void(const Json& document, const std::string& way)>& visit) {
  const std::function<void(Json::json_pointer, std::string)> walk = [&](Json::json_pointer at, std::string way) {
    const Json& node = document[at];
    if (node.is_array()) {
      for (size_t i = 0; i < node.size(); i++) walk(at / i, way + "[" + std::to_string(i) + "]");
    }
    if (!node.is_object()) return;
    for (const std::string& key : keys(node)) {
      const std::string child = way.empty() ? key : way + "." + key;
      Json changed = document;
      change(changed[at], key);
      visit(changed, child);
      walk(at / key, child);
    }
  };
  walk(Json::json_pointer(), "");
}

TEST_F(ResultsFile, AMissingFieldIsNamed) {
  const Json json = written(sample_results());
  int fields = 0;
  for_each_field(
      json, [](Json& parent, const std::string& key) { parent.erase(key); },
      [&](const Json& changed, const std::string& way) {
        if (way == "runs[0].determinism" || way == "runs[0].lines") return;
        if (way == "runs[1].baselines.fa2" || way == "runs[1].baselines.cudnn") return;
        if (way.starts_with("baselines[1].") && way.ends_with(".memory")) return;  // of what could not run
        fields++;
        EXPECT_EQ(refusal(changed), file().string() + ": " + way + " is missing");
      });
  EXPECT_GT(fields, 80);
}

TEST_F(ResultsFile, AFieldOfTheWrongTypeIsNamed) {
  const Json json = written(sample_results());
  for_each_field(
      json, [](Json& parent, const std::string& key) { parent[key] = Json::array({Json::array()}); },
      [&](const Json& changed, const std::string& way) {
        if (way.starts_with("baselines[1].")) return;  // of what could not run nothing is read
        EXPECT_THAT(refusal(changed), HasSubstr(file().string() + ": " + way)) << way;
      });
}

TEST_F(ResultsFile, ValuesThatCannotBeAreNamed) {
  const Json json = written(sample_results());
  Json changed = json;
  changed["schema"] = "flash-steps/results/9";
  EXPECT_THAT(refusal(changed), HasSubstr("schema is \"flash-steps/results/9\""));
  changed = json;
  changed["runs"][1]["problem"]["seqlen"] = -64;
  EXPECT_THAT(refusal(changed), HasSubstr("runs[1].problem.seqlen is -64"));
  changed = json;
  changed["runs"][1]["problem"]["dtype"] = "fp8";
  EXPECT_THAT(refusal(changed), HasSubstr("runs[1].problem.dtype is \"fp8\""));
  changed = json;
  changed["runs"][1]["problem"]["batch"] = 3000000000u;
  EXPECT_THAT(refusal(changed), HasSubstr("runs[1].problem.batch is out of range"));
  changed = json;
  changed["runs"][0]["counters"]["mma"]["instructions"] = -1;
  EXPECT_THAT(refusal(changed), HasSubstr("runs[0].counters.mma.instructions is not a whole number of 0 or more"));
  changed = json;
  changed["runs"][0]["counters"]["ldmatrix"]["bank_conflicts"] = 1;
  EXPECT_THAT(refusal(changed), HasSubstr("runs[0].counters.ldmatrix.bank_conflicts is not wavefronts"));
  changed = json;
  changed["device"]["backend"] = "tpu";
  EXPECT_THAT(refusal(changed), HasSubstr("device.backend is \"tpu\""));
}

// A median of no samples would be read from where there is none.
TEST_F(ResultsFile, ATimingWithoutSamplesIsRefused) {
  Json json = written(sample_results());
  json["runs"][1]["timing"]["samples_ms"] = Json::array();
  EXPECT_THAT(refusal(json), HasSubstr("runs[1].timing.samples_ms is an empty list"));
}

TEST_F(ResultsFile, NumbersBeyondAnyFloatingPointNumberAreRefused) {
  std::ofstream(file()) << "{\"schema\": 1e999}";
  try {
    read_results(file());
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("a number beyond 1.8e308"));
  }
}

TEST_F(ResultsFile, BaselinesSurviveTheRoundTrip) {
  const Results before = sample_results();
  write_results(before, file());
  const Results after = read_results(file());
  EXPECT_EQ(after.runs[0].baselines, before.runs[0].baselines);
  EXPECT_EQ(after.runs[1].baselines, before.runs[1].baselines);
  EXPECT_FALSE(after.runs[1].timing->full_budget);
  ASSERT_EQ(after.baselines.size(), 2u);
  const BaselineRun& fa2 = after.baselines[0];
  EXPECT_EQ(fa2.baseline, Baseline::fa2);
  EXPECT_EQ(fa2.problem.seqlen, 1024);
  EXPECT_EQ(fa2.unavailable, std::nullopt);
  EXPECT_EQ(fa2.implementation, "PyTorch 2.11.0");
  EXPECT_EQ(fa2.validation.max_abs_error, 0.0002);
  EXPECT_THAT(fa2.timing->samples_ms, ElementsAre(1.25, 1, 1.5));
  EXPECT_TRUE(fa2.timing->full_budget);
  const BaselineRun& standard = after.baselines[1];
  EXPECT_EQ(standard.baseline, Baseline::standard);
  EXPECT_EQ(standard.unavailable, "out of memory");
  EXPECT_EQ(standard.timing, std::nullopt);
}

TEST_F(ResultsFile, ThePeakOfMemoryIsThatOfTheTensorsAndTheWorkspace) {
  const Json json = written(sample_results());
  EXPECT_EQ(json["baselines"][0]["memory"]["peak_bytes"], 1048576 + 4096);
  EXPECT_TRUE(json["baselines"][1]["memory"].is_null());
  const MemoryUse of_fa2{.tensor_bytes = 1048576, .workspace_bytes = 4096};
  EXPECT_EQ(read_results(file()).baselines[0].memory, of_fa2);

  Json changed = json;
  changed["baselines"][0]["memory"]["peak_bytes"] = 1048576;
  EXPECT_THAT(refusal(changed), HasSubstr("baselines[0].memory.peak_bytes is not tensor_bytes + workspace_bytes"));
  changed = json;
  changed["runs"][0]["memory"]["workspace_bytes"] = -1;
  EXPECT_THAT(refusal(changed), HasSubstr("runs[0].memory.workspace_bytes is negative"));
}

// As it was written before problems had masks and runs verdicts.
Json of_schema_1(Json json) {
  const auto outdated = [](Json& run) {
    for (const char* field : {"seqlen_kv", "kv_heads", "mask", "dropout", "pass"}) run["problem"].erase(field);
    if (!run["validation"].is_null()) {
      run["validation"]["passed"] = run["validation"]["verdict"] == "right";
      for (const char* field : {"verdict", "hazards"}) run["validation"].erase(field);
    }
    if (!run["timing"].is_null()) {
      for (const char* field : {"power_watts", "temperature_celsius"}) run["timing"].erase(field);
    }
    for (const char* field : {"code", "memory", "out_of_memory"}) run.erase(field);
  };
  json["schema"] = "flash-steps/results/1";
  json["device"].erase("mma_ceiling_tflops");
  for (const char* list : {"runs", "baselines"}) {
    for (Json& run : json[list]) outdated(run);
  }
  return json;
}

TEST_F(ResultsFile, AFileOfSchema1IsRead) {
  ASSERT_EQ(refusal(of_schema_1(written(sample_results()))), "accepted");
  const Results results = read_results(file());
  EXPECT_EQ(results.runs[0].problem, sample_results().runs[0].problem);
  EXPECT_EQ(results.runs[0].memory, std::nullopt);
  EXPECT_EQ(results.runs[0].code, "");
  EXPECT_EQ(results.runs[0].validation.verdict, Verdict::wrong) << "which is what a hazard was then";
  EXPECT_EQ(results.runs[1].validation.verdict, Verdict::right);
  EXPECT_EQ(results.runs[1].timing->state, (GpuState{1755, 0, 0, true}));
  EXPECT_EQ(results.device.mma_ceiling_tflops, std::nullopt);
  EXPECT_TRUE(results.baselines[1].out_of_memory) << "by its sentence";
}

TEST_F(ResultsFile, TheCeilingIsThereOnlyWhereItWasMeasured) {
  Json json = written(sample_results());
  EXPECT_EQ(json["device"]["mma_ceiling_tflops"], 644.5);
  json["device"]["mma_ceiling_tflops"] = 0;
  EXPECT_THAT(refusal(json), HasSubstr("device.mma_ceiling_tflops is not above 0"));
  json["device"]["mma_ceiling_tflops"] = nullptr;
  EXPECT_EQ(refusal(json), "accepted");
  EXPECT_EQ(read_results(file()).device.mma_ceiling_tflops, std::nullopt);
}

TEST_F(ResultsFile, BaselinesThatDoNotExistAreNamed) {
  Json json = written(sample_results());
  json["runs"][1]["baselines"]["fa9"] = json["runs"][1]["baselines"]["fa2"];
  EXPECT_THAT(refusal(json), HasSubstr("runs[1].baselines.fa9 is \"fa9\", which is not known"));
  json = written(sample_results());
  json["baselines"][0]["baseline"] = "fa9";
  EXPECT_THAT(refusal(json), HasSubstr("baselines[0].baseline is \"fa9\""));
}

TEST_F(ResultsFile, WhatIsNotJsonIsSaidToBeSo) {
  std::ofstream(file()) << "{\"schema\": ";
  EXPECT_THROW(read_results(file()), std::runtime_error);
  EXPECT_EQ(refusal(Json::array()), file().string() + ": the file is not an object");
  EXPECT_THROW(read_results(folder_ / "missing.json"), std::runtime_error);
}

TEST_F(ResultsFile, NothingButTheFileIsLeftInTheFolder) {
  check_writable(file());
  EXPECT_THAT(files(), ElementsAre());
  write_results(sample_results(), file());
  EXPECT_THAT(files(), ElementsAre("results.json"));
}

TEST_F(ResultsFile, CheckingDoesNotTouchAnExistingFile) {
  std::ofstream(file()) << "old";
  check_writable(file());
  std::ifstream stream(file());
  std::string content;
  stream >> content;
  EXPECT_EQ(content, "old");
}

TEST_F(ResultsFile, PlacesThatCannotBeWrittenAreRefused) {
  EXPECT_THROW(check_writable(folder_), std::runtime_error);
  EXPECT_THROW(check_writable(folder_ / "no_such_folder" / "results.json"), std::runtime_error);
  EXPECT_THROW(check_writable(folder_ / ""), std::runtime_error);
  EXPECT_THROW(write_results(sample_results(), folder_ / "no_such_folder" / "results.json"), std::runtime_error);
  EXPECT_THROW(write_results(sample_results(), folder_), std::runtime_error);
  EXPECT_THAT(files(), ElementsAre());
}

TEST(Meta, TellsWhenAndHow) {
  DeviceFacts device;
  const Meta meta = make_meta({"runner", "--list"}, device);
  EXPECT_THAT(meta.argv, ElementsAre("runner", "--list"));
  EXPECT_THAT(meta.date, testing::MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"));
  EXPECT_FALSE(meta.compiler.empty());
  EXPECT_EQ(meta.driver, std::nullopt);
  EXPECT_EQ(meta.git.has_value(), meta.dirty.has_value());
  if (meta.git) {
    EXPECT_EQ(meta.git->size(), 40u);
  }
}

TEST(Statistics, PercentilesLieBetweenSamples) {
  const Statistics statistics = statistics_of({5, 1, 4, 2, 3, 6});
  EXPECT_EQ(statistics.median, 3.5);
  EXPECT_EQ(statistics.p20, 2);
  EXPECT_EQ(statistics.p80, 5);
  EXPECT_EQ(statistics.min, 1);
  EXPECT_EQ(statistics_of({7}).median, 7);
  EXPECT_EQ(statistics_of({7}).p80, 7);
}

TEST(Statistics, AKernelIsComparedByMediansAndByRounds) {
  TimingSummary kernel;
  kernel.samples_ms = {2, 4, 6};
  kernel.median_ms = 4;
  TimingSummary baseline;
  baseline.samples_ms = {1, 3, 9};  // 50 %, 75 % and 150 % of the rounds
  baseline.median_ms = 3.5;
  baseline.tflops = 7;
  const Comparison comparison = compare_with(baseline, kernel);
  EXPECT_EQ(comparison, (Comparison{3.5, 7, 87.5, 75, std::nullopt}));
}

TEST(Results, TheBestRunOfAKernelOnAProblemIsTheFastestThatWasTimedInFull) {
  std::vector<flash_steps::Run> runs(5, gpu_run());
  for (flash_steps::Run& run : runs) {
    run.timing->full_budget = true;
    run.baselines.clear();
  }
  runs[1].timing->median_ms = 1;
  runs[2].timing->median_ms = 0.5;
  runs[2].timing->full_budget = false;
  runs[3].problem.seqlen = 512;
  runs[4].kernel = "03";
  EXPECT_THAT(best_runs(runs), ElementsAre(&runs[1], &runs[3], &runs[4]));
  for (flash_steps::Run& run : runs) run.baselines[Baseline::fa2].paired_percent = 100;
  runs[0].baselines[Baseline::fa2].paired_percent = 101;  // in pairs with FlashAttention-2 it is the faster one
  EXPECT_THAT(best_runs(runs), ElementsAre(&runs[0], &runs[3], &runs[4]));
}

TEST(Statistics, TflopsFollowFromTheMedian) {
  Problem problem;
  problem.batch = 16;
  problem.heads = 16;
  problem.seqlen = 4096;
  Timing timing;
  timing.samples_ms = {2, 4, 3};
  // 4 · 16 · 16 · 4096² · 128 operations in 3 ms
  EXPECT_NEAR(summarize(timing, problem).tflops, 2.199023255552e12 / 3e-3 / 1e12, 1e-9);
}

}  // namespace
}  // namespace flash_steps
