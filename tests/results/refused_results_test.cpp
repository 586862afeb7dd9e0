// Files that are no results, or that cannot be written: each is refused with the field or the place.
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

TEST_F(ResultsFileTest, AMissingFieldIsNamed) {
  const Json json = written(sample_results());
  int fields = 0;
  for_each_field(
      json, [](Json& parent, const std::string& key) { parent.erase(key); },
      [&](const Json& changed, const std::string& way) {
        if (way == "runs[0].determinism" || way == "runs[0].lines") return;
        if (way.find(".counters.vote") != std::string::npos) return;  // of which not all kernels have any
        if (way == "runs[1].baselines.fa2" || way == "runs[1].baselines.cudnn") return;
        if (way.starts_with("baselines[1].") && way.ends_with(".memory")) return;  // of what could not run
        fields++;
        EXPECT_EQ(refusal(changed), file().string() + ": " + way + " is missing");
      });
  EXPECT_GT(fields, 80);
}

TEST_F(ResultsFileTest, AFieldOfTheWrongTypeIsNamed) {
  const Json json = written(sample_results());
  for_each_field(
      json, [](Json& parent, const std::string& key) { parent[key] = Json::array({Json::array()}); },
      [&](const Json& changed, const std::string& way) {
        if (way.starts_with("baselines[1].")) return;  // of what could not run nothing is read
        EXPECT_THAT(refusal(changed), HasSubstr(file().string() + ": " + way)) << way;
      });
}

TEST_F(ResultsFileTest, ValuesThatCannotBeAreNamed) {
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
TEST_F(ResultsFileTest, ATimingWithoutSamplesIsRefused) {
  Json json = written(sample_results());
  json["runs"][1]["timing"]["samples_ms"] = Json::array();
  EXPECT_THAT(refusal(json), HasSubstr("runs[1].timing.samples_ms is an empty list"));
}

TEST_F(ResultsFileTest, NumbersBeyondAnyFloatingPointNumberAreRefused) {
  std::ofstream(file()) << "{\"schema\": 1e999}";
  try {
    read_results(file());
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("a number beyond 1.8e308"));
  }
}

TEST_F(ResultsFileTest, BaselinesThatDoNotExistAreNamed) {
  Json json = written(sample_results());
  json["runs"][1]["baselines"]["fa9"] = json["runs"][1]["baselines"]["fa2"];
  EXPECT_THAT(refusal(json), HasSubstr("runs[1].baselines.fa9 is \"fa9\", which is not known"));
  json = written(sample_results());
  json["baselines"][0]["baseline"] = "fa9";
  EXPECT_THAT(refusal(json), HasSubstr("baselines[0].baseline is \"fa9\""));
}

TEST_F(ResultsFileTest, WhatIsNotJsonIsSaidToBeSo) {
  std::ofstream(file()) << "{\"schema\": ";
  EXPECT_THROW(read_results(file()), std::runtime_error);
  EXPECT_EQ(refusal(Json::array()), file().string() + ": the file is not an object");
  EXPECT_THROW(read_results(folder_ / "missing.json"), std::runtime_error);
}

TEST_F(ResultsFileTest, NothingButTheFileIsLeftInTheFolder) {
  check_writable(file());
  EXPECT_THAT(files(), ElementsAre());
  write_results(sample_results(), file());
  EXPECT_THAT(files(), ElementsAre("results.json"));
}

TEST_F(ResultsFileTest, CheckingDoesNotTouchAnExistingFile) {
  std::ofstream(file()) << "old";
  check_writable(file());
  std::ifstream stream(file());
  std::string content;
  stream >> content;
  EXPECT_EQ(content, "old");
}

TEST_F(ResultsFileTest, PlacesThatCannotBeWrittenAreRefused) {
  EXPECT_THROW(check_writable(folder_), std::runtime_error);
  EXPECT_THROW(check_writable(folder_ / "no_such_folder" / "results.json"), std::runtime_error);
  EXPECT_THROW(check_writable(folder_ / ""), std::runtime_error);
  EXPECT_THROW(write_results(sample_results(), folder_ / "no_such_folder" / "results.json"), std::runtime_error);
  EXPECT_THROW(write_results(sample_results(), folder_), std::runtime_error);
  EXPECT_THAT(files(), ElementsAre());
}

}  // namespace
}  // namespace flash_steps
