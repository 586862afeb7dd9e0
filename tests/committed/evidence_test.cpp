// docs/method/evidence.md: what it says of runs on a GPU is what the files of these runs hold.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "harness/base/text.h"
#include "harness/contract/registry.h"
#include "harness/results/folder.h"
#include "harness/results/read.h"
#include "harness/results/results.h"
#include "harness/results/stored_times.h"
#include "tests/support/content.h"

namespace flash_steps {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class Evidence : public testing::Test {
 protected:
  static nlohmann::json stored(const std::string& name) {
    return nlohmann::json::parse(content(stored_results() / name));
  }

  const std::string page_ = content(FLASH_STEPS_SOURCE_DIR "/docs/method/evidence.md");
};

TEST_F(Evidence, EveryCounterOfTheEmulatorIsTheHardwares) {
  const nlohmann::json comparisons = stored("h100_counters.json").at("comparisons");
  std::set<std::string> compared;
  for (const nlohmann::json& comparison : comparisons) {
    EXPECT_EQ(comparison.at("emulator"), comparison.at("hardware")) << comparison;
    compared.insert(comparison.at("kernel"));
  }
  EXPECT_THAT(compared, SizeIs(kernels().size()));
  EXPECT_THAT(page_, HasSubstr(std::to_string(comparisons.size()) + " comparisons on an H100, 0 different"));
}

TEST_F(Evidence, ComputeSanitizerReportsNothing) {
  const nlohmann::json runs = stored("h100_sanitizers.json").at("runs");
  std::set<std::string> launches;
  for (const nlohmann::json& run : runs) {
    EXPECT_EQ(run.at("reports"), 0) << run;
    launches.insert(run.at("kernel").get<std::string>() + run.at("dtype").get<std::string>() +
                    run.at("tool").get<std::string>());
  }
  EXPECT_THAT(launches, SizeIs(kernels().size() * 2 * 4));
  EXPECT_THAT(page_, HasSubstr(std::to_string(runs.size()) + " launches on an H100, 0 reports"));
}

TEST_F(Evidence, TheGpuGivesTheSameBitsEachTime) {
  const Results results = read_results(stored_results() / "h100_determinism.json");
  std::set<std::string> repeated;
  for (const flash_steps::Run& run : results.runs) {
    ASSERT_TRUE(run.determinism);
    EXPECT_EQ(run.determinism->repeats, 250) << run.kernel;
    EXPECT_TRUE(run.determinism->bit_equal) << run.kernel << " " << run.config;
    EXPECT_EQ(run.problem.batch, 60);
    repeated.insert(run.kernel);
  }
  EXPECT_THAT(repeated, SizeIs(kernels().size()));
  EXPECT_THAT(page_, HasSubstr(std::to_string(results.runs.size()) + " configs, 250 launches each"));
}

TEST_F(Evidence, CountsTheMutants) {
  EXPECT_THAT(page_, HasSubstr(std::to_string(stored("mutants.json").at("mutants").size()) + " mutants, 0 survive"));
  int all = 0;
  int never_wrong = 0;
  const nlohmann::json on_gpu = stored("gpu_mutants.json");
  for (const nlohmann::json& mutant : on_gpu.at("mutants")) {
    if (!mutant.contains("mistake")) continue;
    all++;
    never_wrong += mutant.at("wrong") == 0;
  }
  EXPECT_THAT(page_, HasSubstr(std::to_string(never_wrong) + " of " + std::to_string(all) + " are never wrong"));
}

TEST_F(Evidence, EachStepTakesItsTimeOnTheEmulator) {
  const nlohmann::json benchmarks = stored("emulator_benchmark.json").at("benchmarks");
  std::vector<double> milliseconds;
  for (const nlohmann::json& benchmark : benchmarks) {
    const std::string name = benchmark.at("name");
    if (name.starts_with("seqlen_512/") && name.ends_with("_median")) milliseconds.push_back(benchmark.at("cpu_time"));
  }
  ASSERT_THAT(milliseconds, SizeIs(kernels().size()));
  const auto [least, most] = std::minmax_element(milliseconds.begin(), milliseconds.end());
  EXPECT_THAT(page_, HasSubstr(fixed(*least, 0) + " to " + fixed(*most, 0) + " ms of CPU time"));
}

}  // namespace
}  // namespace flash_steps
