// Results: the JSON file and its schema.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "harness/base/file.h"
#include "tests/support/results_fixture.h"

namespace flash_steps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(ResultsFileTest, SurvivesTheRoundTrip) {
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

TEST_F(ResultsFileTest, HasTheFieldsOfTheSchema) {
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

TEST_F(ResultsFileTest, CountersHaveTheFieldsThatApplyToThem) {
  const Json counters = written(sample_results())["runs"][0]["counters"];
  EXPECT_THAT(keys(counters), ElementsAre("ldmatrix", "cp_async", "shared_load", "shared_store", "global_load",
                                          "global_store", "mma", "shuffle", "barrier", "hbm_bytes_read",
                                          "hbm_bytes_written", "vote_instructions", "votes_won"));
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

TEST_F(ResultsFileTest, AnErrorThatIsNotANumberIsWrittenAsNull) {
  Results results = sample_results();
  results.runs[0].validation.verdict = Verdict::wrong;
  results.runs[0].validation.max_abs_error = std::nan("");
  EXPECT_TRUE(written(results)["runs"][0]["validation"]["max_abs_error"].is_null());
  EXPECT_TRUE(std::isnan(read_results(file()).runs[0].validation.max_abs_error));
}

TEST_F(ResultsFileTest, UnknownMetaIsWrittenAsNull) {
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

TEST_F(ResultsFileTest, ArgumentsNeedNotBeUtf8) {
  Results results = sample_results();
  results.meta.argv = {"runner", "\xff\xfe"};
  write_results(results, file());
  EXPECT_EQ(read_results(file()).meta.argv.size(), 2u);
}
TEST_F(ResultsFileTest, BaselinesSurviveTheRoundTrip) {
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

TEST_F(ResultsFileTest, ThePeakOfMemoryIsThatOfTheTensorsAndTheWorkspace) {
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

TEST_F(ResultsFileTest, AFileOfSchema1IsRead) {
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

TEST_F(ResultsFileTest, PaddingIsThereOnlyWhereSequencesArePadded) {
  Results results = sample_results();
  EXPECT_FALSE(written(results)["runs"][0]["problem"].contains("padding"));
  results.runs[0].problem.padding = 20;
  Json json = written(results);
  EXPECT_EQ(read_results(file()).runs[0].problem, results.runs[0].problem);
  for (const int padding : {-1, 129}) {
    json["runs"][0]["problem"]["padding"] = padding;
    EXPECT_THAT(refusal(json), HasSubstr("runs[0].problem.padding is " + std::to_string(padding)));
  }
}

TEST_F(ResultsFileTest, TheCeilingIsThereOnlyWhereItWasMeasured) {
  Json json = written(sample_results());
  EXPECT_EQ(json["device"]["mma_ceiling_tflops"], 644.5);
  json["device"]["mma_ceiling_tflops"] = 0;
  EXPECT_THAT(refusal(json), HasSubstr("device.mma_ceiling_tflops is not above 0"));
  json["device"]["mma_ceiling_tflops"] = nullptr;
  EXPECT_EQ(refusal(json), "accepted");
  EXPECT_EQ(read_results(file()).device.mma_ceiling_tflops, std::nullopt);
}

}  // namespace
}  // namespace flash_steps
