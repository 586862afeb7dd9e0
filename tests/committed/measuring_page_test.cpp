// docs/method/measuring.md: what it says of the emulator against the hardware is what lies in the results.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "harness/base/text.h"
#include "harness/pages/tables/markdown.h"
#include "harness/results/folder.h"
#include "harness/results/stored_times.h"
#include "tests/support/content.h"

namespace flash_steps {
namespace {

class MeasuringPage : public testing::Test {
 protected:
  void SetUp() override {
    std::ifstream file(stored_results() / "h100_counters.json");
    const auto json = nlohmann::json::parse(file);
    ASSERT_EQ(json.at("schema"), "flash-steps/counter-comparison/1");
    comparisons_ = json.at("comparisons");
    page_ = content(std::filesystem::path(FLASH_STEPS_SOURCE_DIR) / "docs" / "method" / "measuring.md");
  }

  nlohmann::json comparisons_;
  std::string page_;
};

TEST_F(MeasuringPage, SaysHowMuchWasComparedAndHowMuchDiffered) {
  std::set<std::string> kernels, dtypes, metrics;
  std::set<int> seqlens;
  int different = 0;
  for (const auto& row : comparisons_) {
    kernels.insert(row.at("kernel"));
    dtypes.insert(row.at("dtype"));
    metrics.insert(row.at("metric"));
    seqlens.insert(row.at("seqlen").get<int>());
    // A counter that one side lacks is null, which equals nothing that was counted.
    different += !row.at("emulator").is_number_integer() || row.at("emulator") != row.at("hardware");
  }
  EXPECT_EQ(metrics.size(), 12u) << "the page says twelve";
  EXPECT_EQ(seqlens, (std::set<int>{256, 512}));
  EXPECT_EQ(comparisons_.size(), kernels.size() * dtypes.size() * metrics.size() * seqlens.size());
  const std::string launches = std::to_string(kernels.size()) + " kernels, " + std::to_string(dtypes.size()) + " types";
  const std::string outcome =
      std::to_string(comparisons_.size()) + " comparisons, " + std::to_string(different) + " different";
  for (const std::string& said : {launches, outcome}) {
    EXPECT_NE(page_.find(said), std::string::npos) << said;
  }
}

TEST_F(MeasuringPage, ShowsOneKernelsMetricsAsTheyLieInTheResults) {
  std::string table = markdown_head({"metric", "emulator", "H100"}, 1);
  int rows = 0;
  for (const auto& row : comparisons_) {
    if (row.at("kernel") != "01_base" || row.at("dtype") != "fp16" || row.at("seqlen") != 256) continue;
    table += markdown_row({"`" + row.at("metric").get<std::string>() + "`", grouped(row.at("emulator").get<uint64_t>()),
                           grouped(row.at("hardware").get<uint64_t>())});
    rows++;
  }
  EXPECT_EQ(rows, 12);
  EXPECT_NE(page_.find("\n\n" + table + "\n"), std::string::npos) << table;
}

}  // namespace
}  // namespace flash_steps
