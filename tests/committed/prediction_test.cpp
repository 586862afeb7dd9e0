// The stored machine code and the predictions that were made from it.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <tuple>

#include "harness/base/file.h"
#include "harness/contract/registry.h"
#include "harness/predict/code/program.h"
#include "harness/predict/code/stored_code.h"
#include "harness/predict/fa2.h"
#include "harness/predict/measured_pipes.h"
#include "harness/predict/other_problems.h"
#include "harness/predict/picture.h"
#include "harness/predict/predictions.h"
#include "harness/predict/validation.h"
#include "harness/results/folder.h"
#include "harness/results/freshness.h"
#include "harness/sass/stored.h"

namespace flash_steps {
namespace {

const StoredSass& code() {
  static const StoredSass code = read_stored_code();
  return code;
}

TEST(StoredCode, HasEveryConfigOfTheSixteenForThreeArchitectures) {
  for (const Kernel* kernel : of_chapter(sixteen)) {
    for (const Variant& variant : kernel->emulator()) {
      const TileShape& tile = variant.tile;
      for (const char* arch : {"sm_80", "sm_86", "sm_90"}) {
        const StoredFunction* const function = code().find(kernel->name, tile.config, arch);
        ASSERT_NE(function, nullptr) << kernel->name << " " << tile.config << " " << arch;
        EXPECT_EQ(std::tuple(function->tile.tile_rows, function->tile.tile_cols, function->tile.threads,
                             function->tile.smem_bytes),
                  std::tuple(tile.tile_rows, tile.tile_cols, tile.threads, tile.smem_bytes))
            << kernel->name << " " << tile.config;
      }
    }
  }
}

// Of a chapter that computes other problems, those of a head_dim of 128 and of 64.
TEST(StoredCode, HasTheDefaultConfigsOfOtherProblemsForThreeArchitectures) {
  const StoredSass stored = read_stored_code(stored_code_file(chapter("variants")));
  std::set<std::string> kernels;
  for (const auto& [key, function] : stored.functions) kernels.insert(function.kernel);
  EXPECT_GE(kernels.size(), 7u);
  for (const std::string& kernel : kernels) {
    for (const int head_dim : {128, 64}) {
      const std::vector<Variant>& variants = find_kernel(kernel)->emulator();
      const auto variant = std::find_if(variants.begin(), variants.end(),
                                        [&](const Variant& v) { return v.coverage.head_dims.front() == head_dim; });
      if (variant == variants.end()) continue;
      for (const char* arch : {"sm_80", "sm_86", "sm_90"}) {
        EXPECT_NE(stored.find(kernel, variant->tile.config, arch), nullptr) << kernel << " " << head_dim << " " << arch;
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
    EXPECT_EQ(program.code[program.epilogue.back().index].unit, Unit::exit)
        << function.kernel << " " << function.tile.config;
  }
  EXPECT_GT(instructions, 100000);
}

// Kernels change, and so do the words that they include: the code is that of which machine_code.json has the counts.
TEST(StoredCode, IsThatOfTheStoredCounts) {
  const StoredMachineCode counts = read_stored_machine_code();
  for (const auto& [key, function] : code().functions) {
    const MachineCode* const counted = counts.find(function.kernel, function.tile.config, function.arch);
    ASSERT_NE(counted, nullptr) << function.kernel << " " << function.tile.config << " " << function.arch;
    EXPECT_EQ(function.code, code_hash(*find_kernel(function.kernel))) << function.kernel;
    const auto instructions = function.instructions();
    const auto with = [&](const char* opcode) {
      return std::count_if(instructions.begin(), instructions.end(), [&](const EncodedInstruction& instruction) {
        return instruction.text.find(opcode) != std::string::npos;
      });
    };
    const InstructionCounts& whole = counted->whole_kernel;
    for (const char* opcode : {"HMMA", "LDSM", "LDGSTS", "MUFU"}) {
      EXPECT_EQ(with(opcode), whole.at(opcode))
          << function.kernel << " " << function.tile.config << " " << function.arch;
    }
    EXPECT_EQ(static_cast<int>(instructions.size()), whole.at("total"))
        << function.kernel << " " << function.tile.config;
    EXPECT_EQ(function.registers, counted->function.registers) << function.kernel << " " << function.tile.config;
  }
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
    EXPECT_EQ(most->first, least.at(function.arch)) << function.kernel << " " << function.tile.config;
  }
}

// How often a sub-core's pipes take an instruction, on each GPU that was measured, against the model's table.
TEST(StoredPipes, TakeInstructionsAsOftenAsTheModelHasIt) {
  const SmTimings timings = timings_of(*rates_of("sm_90"));
  const std::map<std::string, double> intervals{
      {"hmma_kept", timings.tensor_interval}, {"hmma_fresh", timings.tensor_interval},
      {"fmnmx", timings.alu_interval},        {"lop3", timings.alu_interval},
      {"iadd", timings.alu_interval},         {"imad", timings.half_interval},
      {"mufu", timings.mufu_interval},        {"ldmatrix", 4 * 4},  // sub-cores, wavefronts
      {"ldmatrix_conflicts", 4 * 32}};
  const std::vector<MeasuredPipes> measured = read_stored_pipes();
  ASSERT_FALSE(measured.empty());
  for (const MeasuredPipes& gpu : measured) {
    for (const auto& [kind, cycles] : intervals) {
      // Of two warps: what goes around the loop hides behind the other's.
      EXPECT_NEAR(gpu.find(kind, "", 2)->first_cycles, cycles, 0.1 * cycles) << gpu.device << " " << kind;
    }
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
    const Card& card = *select_cards("a100").front();
    EXPECT_NEAR(predictor.predict(variant, card, {{row->problem, row->sm_clock_mhz}}).front().tflops, row->tflops,
                1e-6 * row->tflops);
  }
}

// One of each file of the chapter.
TEST(StoredPredictions, OfOtherProblemsAreOfTheModelAsItIs) {
  const Predictor predictor = read_predictor();
  std::set<std::string> kinds;
  for (const PredictedRun& run : read_stored_predictions(chapter("variants")).runs) {
    if (run.problem.seqlen > 1024 || !kinds.insert(kind_of(run.problem)).second) continue;
    const std::vector<Variant>& variants = find_kernel(run.kernel)->emulator();
    const auto variant =
        std::find_if(variants.begin(), variants.end(), [&](const Variant& v) { return v.tile.config == run.config; });
    ASSERT_NE(variant, variants.end()) << run.kernel << " " << run.config;
    const Card& card = *select_cards(run.card).front();
    EXPECT_NEAR(predictor.predict(*variant, card, {{run.problem, run.sm_clock_mhz}}).front().tflops, run.tflops,
                1e-6 * run.tflops)
        << run.kernel << " " << kind_of(run.problem);
  }
  EXPECT_GE(kinds.size(), 6u);
}

TEST(StoredPredictions, OfOtherProblemsAreComparedWithTimesOfTheSameProblem) {
  const std::vector<ResultsFile> timed = timed_files(chapter("variants"));
  const Card& card = *select_cards("h100").front();
  const std::vector<ComparedProblem> rows = against_timed(card, read_stored_predictions(chapter("variants")), timed);
  std::set<std::string> kinds;
  for (const ComparedProblem& row : rows) {
    kinds.insert(kind_of(row.problem));
    EXPECT_TRUE(fa2_speed(card, row.problem, timed)) << row.figures.kernel << " " << kind_of(row.problem);
  }
  EXPECT_GE(kinds.size(), 6u);
  EXPECT_GE(rows.size(), 70u);
}

// Another run of FlashAttention-2 has another clock, and predictions for it are made anew.
TEST(StoredPredictions, AreForTheClocksOfTheStoredResults) {
  const flash_steps::Evidence evidence;
  for (const char* file : {"predictions.json", "predictions_lengths.json", "predictions_without.json"}) {
    for (const PredictedRun& run : read_predictions(stored_results() / file).runs) {
      const Card& card = *select_cards(run.card).front();
      ASSERT_NEAR(run.sm_clock_mhz, usual_clock_mhz(card, run.problem.seqlen, evidence.published, evidence.sweeps),
                  0.01)
          << file << " " << run.card << " seqlen " << run.problem.seqlen;
    }
  }
}

TEST(Pictures, AreOfTheModelAsItIs) {
  const Predictor predictor = read_predictor();
  int pictures = 0;
  for (const auto& entry : std::filesystem::directory_iterator(FLASH_STEPS_SOURCE_DIR "/docs/img/timelines")) {
    const Kernel* const kernel = find_kernel(entry.path().stem().string());
    ASSERT_NE(kernel, nullptr) << entry.path();
    const Timeline timeline =
        timeline_of(predictor, kernel->name, kernel->emulator().front().tile, *select_cards("h100").front(), 1);
    EXPECT_EQ(read_file(entry.path()), timeline_svg(timeline)) << entry.path();
    pictures++;
  }
  EXPECT_GE(pictures, 5);
}

}  // namespace
}  // namespace flash_steps
