// What was measured of an SM's pipes: read from a file, and as a table.
#include "harness/predict/measured_pipes.h"

#include <gmock/gmock.h>

#include <fstream>
#include <stdexcept>

#include "harness/pages/tables/model/measured_pipes.h"
#include "tests/support/sweeps.h"
#include "tests/support/temporary_folder.h"

namespace flash_steps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class MeasuredPipesFile : public InTemporaryFolder {
 protected:
  // An HMMA that takes six cycles, an FFMA that takes one, and both together without any overlap.
  MeasuredPipes file(const std::string& device, const std::string& ffma = "1.0") {
    return read_measured_pipes(written("pipes.json", R"({"schema": "flash-steps/pipes/1", "meta": {}, "device": ")" +
                                                         device + R"(", "pairs": [
  {"first": "hmma_kept", "second": "", "first_warps": 1, "second_warps": 0, "first_cycles": 6.0, "second_cycles": 0},
  {"first": "ffma", "second": "", "first_warps": 1, "second_warps": 0, "first_cycles": )" +
                                                         ffma + R"(, "second_cycles": 0},
  {"first": "hmma_kept", "second": "ffma", "first_warps": 1, "second_warps": 1, "first_cycles": 12.0, "second_cycles": 2.0}],
  "latencies": [{"what": "SHFL", "cycles": 24.5}], "l2_bytes_per_cycle": 80.0})"));
  }
};

TEST_F(MeasuredPipesFile, IsReadAndShowsWhatDoesNotOverlap) {
  const std::string table = render_measured_pipes({file("one GPU"), file("another GPU", "1.25")});
  EXPECT_THAT(row_of(table, "FFMA of one register"),
              ElementsAre("FFMA of one register", "1.00", "12.00", "2.00", "6.0", "—", "—", "—"));
  EXPECT_THAT(row_of(table, "SHFL").at(1), "—");
  EXPECT_THAT(table, HasSubstr("The figures of the another GPU differ by 0.25 cycles at most."));
}

TEST_F(MeasuredPipesFile, HasLatencies) {
  const std::string table = render_measured_latencies({file("one GPU"), file("another GPU")});
  EXPECT_THAT(row_of(table, "SHFL"), ElementsAre("SHFL", "24.5", "24.5"));
  EXPECT_THAT(row_of(table, "from L2, bytes a cycle and SM"),
              ElementsAre("from L2, bytes a cycle and SM", "80.0", "80.0"));
}

TEST_F(MeasuredPipesFile, ThatIsNoneIsRefused) {
  const auto refusal = [&](const std::string& text) -> std::string {
    try {
      read_measured_pipes(written("pipes.json", text));
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refusal(R"({"schema": "flash-steps/sass/1"})"), HasSubstr("flash-steps/pipes/1"));
  EXPECT_THAT(refusal(R"({"schema": "flash-steps/pipes/1", "device": "one", "pairs": [{"first": 3}]})"),
              HasSubstr("pairs[0].first is not"));
  EXPECT_THAT(refusal("{"), HasSubstr("pipes.json"));
  EXPECT_THROW(render_measured_pipes({}), std::runtime_error);
}

}  // namespace
}  // namespace flash_steps
