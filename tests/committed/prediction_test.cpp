// The stored machine code and the predictions that were made from it.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "harness/contract/registry.h"
#include "harness/predict/code/program.h"
#include "harness/predict/code/stored_code.h"
#include "harness/predict/predictions.h"
#include "harness/predict/validation.h"
#include "harness/results/folder.h"

namespace flash_steps {
namespace {

const StoredCode& code() {
  static const StoredCode code = read_stored_code();
  return code;
}

TEST(StoredCode, HasEveryConfigOfTheSixteenForThreeArchitectures) {
  for (const Kernel* kernel : of_chapter(sixteen)) {
    for (const std::string& config : configs_of(*kernel)) {
      for (const char* arch : {"sm_80", "sm_86", "sm_90"}) {
        EXPECT_NE(code().find(kernel->name, config, arch), nullptr) << kernel->name << " " << config << " " << arch;
      }
    }
  }
}

TEST(StoredCode, EveryInstructionIsKnownAndEveryKernelHasAnOrder) {
  int64_t instructions = 0;
  for (const auto& [key, function] : code().functions) {
    const auto decoded = decode(function.instructions());
    instructions += static_cast<int64_t>(decoded.size());
    const Program program = program_of(decoded);
    EXPECT_EQ(program.code[program.epilogue.back()].unit, Unit::exit) << function.kernel << " " << function.config;
  }
  EXPECT_GT(instructions, 100000);
}

// What the compiler leaves between two instructions of a pipe is what the pipe needs: no two products that follow each
// other directly in a warp are closer than the tensor pipe's interval in the table, or it would be wrong.
TEST(StoredCode, TheCompilerLeavesProductsTheTensorPipesInterval) {
  const std::map<std::string, int> least{{"sm_80", 8}, {"sm_90", 6}};
  for (const auto& [key, function] : code().functions) {
    if (!least.contains(function.arch)) continue;
    const Program program = program_of(decode(function.instructions()));
    std::map<int, int> stalls;
    for (size_t i = 0; i + 1 < program.loop.size(); i++) {
      const DecodedInstruction& now = program.code[program.loop[i].index];
      const DecodedInstruction& next = program.code[program.loop[i + 1].index];
      if (now.unit == Unit::tensor && next.unit == Unit::tensor) stalls[now.control.stall]++;
    }
    const auto most = std::max_element(stalls.begin(), stalls.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    ASSERT_NE(most, stalls.end()) << function.kernel;
    EXPECT_EQ(most->first, least.at(function.arch)) << function.kernel << " " << function.config;
  }
}

TEST(StoredPredictions, AreOfTheModelAsItIs) {
  const Predictions stored = read_predictions(stored_results() / "predictions.json");
  const Predictor predictor = read_predictor();
  for (const char* name : {"02_swizzling", "16_static_stride"}) {
    const Variant& variant = find_kernel(name)->emulator().front();
    const auto row = std::find_if(stored.runs.begin(), stored.runs.end(), [&](const PredictedRun& run) {
      return run.kernel == name && run.config == variant.tile.config && run.card == "a100" && run.without.empty();
    });
    ASSERT_NE(row, stored.runs.end());
    Problem problem;
    problem.batch = row->batch;
    problem.heads = row->heads;
    problem.seqlen = row->seqlen;
    const Card& card = *select_cards("a100").front();
    EXPECT_NEAR(predictor.predict(variant, card, {{problem, row->sm_clock_mhz}}).front().tflops, row->tflops,
                1e-6 * row->tflops);
  }
}

}  // namespace
}  // namespace flash_steps
