// The bound: closed forms of a tile's work and of its cycles, the files that it comes from, and that no figure exceeds
// it.
#include "harness/model/bound.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "harness/console/bound.h"
#include "harness/console/list.h"
#include "harness/contract/registry.h"
#include "harness/model/bound_stored.h"
#include "harness/model/fa2_speed.h"
#include "harness/model/tile_work.h"
#include "harness/pages/tables/model/pipes.h"
#include "harness/results/folder.h"
#include "harness/results/stored_times.h"
#include "tests/support/all_configs.h"
#include "tests/support/tile_arithmetic.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Key;
using testing::Not;

const Rates& a100() { return *rates_of("sm_80"); }
const Rates& rtx3090() { return *rates_of("sm_86"); }
const Rates& h100() { return *rates_of("sm_90"); }

// Of the sixteen.
const Kernel& kernel(int number) { return *of_chapter(sixteen).at(number - 1); }

const Variant& first_variant(const Kernel& kernel) { return kernel.emulator().front(); }

const StoredBounds& stored() {
  static const StoredBounds bounds = read_stored_bounds();
  return bounds;
}

InstructionCounts no_instructions() {
  InstructionCounts counts;
  for (const std::string& name : counted_names()) counts[name] = 0;
  return counts;
}

// --- The rates ---------------------------------------------------------------------------------------------------

TEST(Rates, MakeThePeaksOfTheWhitePapers) {
  const auto tflops = [](const Rates& rates, double boost_mhz) {
    return rates.flop() * rates.sm_count * boost_mhz * 1e-6;
  };
  EXPECT_NEAR(tflops(a100(), 1410), 312, 0.5);
  EXPECT_NEAR(tflops(rtx3090(), 1695), 71, 0.5);
  EXPECT_NEAR(tflops(h100(), 1830), 989.4 * 2 / 3, 0.5);
}

TEST(Rates, AreFoundByArchitecture) {
  EXPECT_EQ(arch_of("8.6"), "sm_86");
  EXPECT_EQ(arch_of("12.0"), "sm_120");
  EXPECT_EQ(rates_of("sm_90")->gpu, "H100");
  EXPECT_EQ(rates_of("sm_120"), nullptr);
}

// --- The work of a tile ------------------------------------------------------------------------------------------

// What follows from the tile alone: each warp reads all of K and V, and Q again unless it keeps it.
TileWork closed_form(const Kernel& kernel, const TileShape& tile) {
  const int warps = tile.threads / 32;
  const double fragment = 16 * 16;  // elements that an ldmatrix.x4 loads
  const double head_dim = default_head_dim;
  const double conflicts = kernel.number == 1 ? 8 : 1;
  const double kv_loads = warps * 2 * tile.tile_cols * head_dim / fragment;
  const double q_loads = keeps_q_in_registers(kernel, tile) ? 0 : tile.tile_rows * head_dim / fragment;
  TileWork work;
  work.flop = 4 * tile.tile_rows * tile.tile_cols * head_dim;
  work.products = work.flop / product_flop;
  work.ldmatrix = (kv_loads + q_loads) * 4 * conflicts;
  work.cp_async = 2 * tile.tile_cols * head_dim * 2 / 128;
  return work;
}

TEST(TileWork, OfEveryStoredConfigOfTheSixteenIsTheClosedForm) {
  for (const Kernel* step : of_chapter(sixteen)) {
    const Kernel& kernel = *step;
    for (const Variant& variant : kernel.emulator()) {
      if (variant.dtype != Dtype::fp16 || (variant.tile.heads != 0 && variant.tile.heads != 16)) continue;
      const std::string name = kernel.name + " " + variant.tile.config;
      ASSERT_THAT(stored().works, Contains(Key(std::pair(kernel.name, variant.tile.config))))
          << name << ": the command on docs/method/bounds.md makes docs/results/emulator_tiles.json anew";
      EXPECT_TRUE(stored().works.at({kernel.name, variant.tile.config}) == closed_form(kernel, variant.tile)) << name;
    }
  }
}

TEST(TileWork, IsObservedOnTheEmulator) {
  const auto emulator = make_emulator();
  for (const int number : {1, 2, 4, 16}) {
    const Variant& variant = first_variant(kernel(number));
    EXPECT_TRUE(observe_tile_work(*emulator, variant) == closed_form(kernel(number), variant.tile)) << number;
  }
}

// Backward a kernel of two passes multiplies seven times where five count.
TEST(TileWork, OfOtherHeadsAndPassesIsWhatTheyMultiply) {
  const auto emulator = make_emulator();
  int compared = 0;
  for (const Kernel* step : of_chapter("variants")) {
    for (const Variant& variant : step->emulator()) {
      if (variant.dtype != Dtype::fp16) continue;
      const TileShape& tile = variant.tile;
      const bool is_forward = variant.coverage.passes.front() == Pass::forward;
      const double pairs = static_cast<double>(tile.tile_rows) * tile.tile_cols * variant.coverage.head_dims.front();
      const TileWork work = observe_tile_work(*emulator, variant);
      EXPECT_EQ(work.flop, (is_forward ? 4 : 10) * pairs) << step->name << " " << tile.config;
      EXPECT_GE(work.products * product_flop, work.flop) << step->name << " " << tile.config;
      EXPECT_LE(work.products * product_flop, (is_forward ? 1 : 1.4) * work.flop) << step->name << " " << tile.config;
      for (const Rates& rates : all_rates()) {
        const InstructionCounts* const loop = stored().machine_code.main_loop(step->name, tile.config, rates.arch);
        EXPECT_LE(bound(work, loop, rates).percent_of_peak, 100) << step->name << " " << tile.config;
      }
      compared++;
    }
  }
  EXPECT_GE(compared, 10);
}

TEST(TileWork, OfTheFirstStepHas8192WavefrontsOfLdmatrix) {
  const TileWork& work = stored().works.at({"01_base", "64x64"});
  EXPECT_EQ(work.ldmatrix, 8192);
  EXPECT_EQ(work.wavefronts(), 8192 + 256);
  EXPECT_EQ(work.products, 512);
}

TEST(TileWork, IsTheDifferenceOfTwoLaunchesSoThatWhatACtaDoesOnceCancelsOut) {
  Counters once, tile;
  once.ldmatrix.wavefronts = 7;
  once.shared_store.wavefronts = 9;
  tile.mma_instructions = 5;
  tile.ldmatrix.wavefronts = 3;
  tile.cp_async.wavefronts = 2;
  const auto launch = [&](int ctas, int tiles) {
    CountedLaunch launch{{}, ctas, tiles};
    for (int cta = 0; cta < ctas; cta++) {
      launch.counters += once;
      for (int t = 0; t < tiles; t++) launch.counters += tile;
    }
    return launch;
  };
  EXPECT_TRUE(tile_work(launch(2, 3), launch(4, 7), 64) == (TileWork{64, 5, 3, 2, 0, 0}));
}

// --- The bound ---------------------------------------------------------------------------------------------------

TEST(Bound, OfTheFirstStepIsSharedMemory) {
  const auto percent = [](const Rates& rates) {
    const Bound bound = *stored().of("01_base", "64x64", rates);
    EXPECT_EQ(bound.pipe, Pipe::shared_memory) << rates.gpu;
    EXPECT_EQ(bound.cycles.at(Pipe::shared_memory), 8448) << rates.gpu;
    return bound.percent_of_peak;
  };
  EXPECT_DOUBLE_EQ(percent(a100()), 100 * 1024.0 / 8448);     // 12.1; 12.5 without the copies of K and V
  EXPECT_DOUBLE_EQ(percent(rtx3090()), 100 * 4096.0 / 8448);  // 48.5; 50 without them
  EXPECT_DOUBLE_EQ(percent(h100()), 100 * 768.0 / 8448);
}

TEST(Bound, OfTheSecondStepIsSharedMemoryWhereTensorCoresAreFast) {
  const auto expect = [](const Rates& rates, Pipe pipe, double percent) {
    const Bound bound = *stored().of("02_swizzling", "64x64", rates);
    EXPECT_EQ(bound.pipe, pipe) << rates.gpu;
    EXPECT_EQ(bound.cycles.at(Pipe::shared_memory), 1280) << rates.gpu;
    EXPECT_DOUBLE_EQ(bound.percent_of_peak, percent) << rates.gpu;
  };
  expect(a100(), Pipe::shared_memory, 80);
  expect(rtx3090(), Pipe::tensor, 100);
  expect(h100(), Pipe::shared_memory, 60);
}

TEST(Bound, OfTheLastStepIsTheTensorPipeAndOnAnH100SharedMemoryAsWell) {
  const auto bound = [](const Rates& rates) { return *stored().of("16_static_stride", "128x64_q2k2v2c1_h16", rates); };
  for (const Rates& rates : all_rates()) {
    EXPECT_EQ(bound(rates).pipe, Pipe::tensor) << rates.gpu;
    EXPECT_EQ(bound(rates).percent_of_peak, 100) << rates.gpu;
    EXPECT_EQ(bound(rates).cycles.at(Pipe::shared_memory), 1536) << rates.gpu;
    // 128 · 64 powers of two, and one for each of the 128 rows and the 4 lanes that share a row.
    EXPECT_EQ(bound(rates).cycles.at(Pipe::mufu), (128 * 64 + 128 * 4) / 16.0) << rates.gpu;
  }
  EXPECT_EQ(bound(a100()).cycles.at(Pipe::tensor), 2048);
  EXPECT_EQ(bound(rtx3090()).cycles.at(Pipe::tensor), 8192);
  EXPECT_EQ(bound(h100()).cycles.at(Pipe::tensor), 1536);
}

TEST(Bound, EachInstructionGoesToItsPipe) {
  const TileWork work{.flop = 40 * product_flop, .products = 40};
  InstructionCounts loop = no_instructions();
  loop["HMMA"] = 10;
  const auto cycles = [&](const std::string& name, Pipe pipe, const Rates& rates) {
    InstructionCounts counts = loop;
    counts[name] = 8;
    return bound(work, &counts, rates).cycles.at(pipe);
  };
  for (const char* name : {"FFMA", "FADD", "FMUL"}) {
    EXPECT_EQ(cycles(name, Pipe::fma, a100()), 8 * 4 * 32 / 64) << name;
    EXPECT_EQ(cycles(name, Pipe::fma, h100()), 8 * 4 * 32 / 128) << name;
  }
  EXPECT_EQ(cycles("IMAD", Pipe::fma, h100()), 8 * 4 * 32 / 64);
  for (const char* name : {"IADD3", "LOP3", "SHF", "LEA", "FMNMX"}) {
    EXPECT_EQ(cycles(name, Pipe::alu, rtx3090()), 8 * 4 * 32 / 64) << name;
  }
  EXPECT_EQ(cycles("MUFU", Pipe::mufu, a100()), 8 * 4 * 32 / 16);
  EXPECT_EQ(cycles("total", Pipe::issue, a100()), 8 * 4 / 4);
  for (const char* name : {"MOV", "CS2R", "R2UR", "LDL"}) {
    for (const Pipe pipe : {Pipe::fma, Pipe::alu, Pipe::mufu}) EXPECT_EQ(cycles(name, pipe, a100()), 0) << name;
  }
}

TEST(Bound, ALoopOverTwoTilesCountsHalf) {
  const TileWork work{.flop = 40 * product_flop, .products = 40};
  InstructionCounts loop = no_instructions();
  loop["HMMA"] = 20;
  loop["total"] = 100;
  EXPECT_EQ(bound(work, &loop, a100()).cycles.at(Pipe::issue), 50);
}

TEST(Bound, WithoutMachineCodeTwoPipesAreKnown) {
  const TileWork work{.flop = 100 * product_flop, .products = 100, .ldmatrix = 400};
  const InstructionCounts no_products = no_instructions();
  for (const InstructionCounts* loop : {static_cast<const InstructionCounts*>(nullptr), &no_products}) {
    const Bound known = bound(work, loop, a100());
    EXPECT_EQ(known.cycles.size(), 2u);
    EXPECT_EQ(known.pipe, Pipe::shared_memory);
    EXPECT_EQ(known.percent_of_peak, 50);
  }
}

TEST(Bound, TheHighestOfTheConfigsCounts) {
  NEEDS_ALL_CONFIGS();
  // On an H100 64 query rows a CTA need more of shared memory than 128 do.
  const Kernel& autotune = kernel(7);
  EXPECT_EQ(stored().highest(autotune, h100())->config, "128x64_q2k2v2c1");
  EXPECT_EQ(stored().highest(autotune, h100())->bound.percent_of_peak, 100);
  EXPECT_EQ(stored().of(autotune.name, "64x64_q0k2v2c0", h100())->percent_of_peak, 60);
}

TEST(Bound, EveryConfigHasStoredMachineCode) {
  for (const Kernel& kernel : kernels()) {
    if (!fs::exists(machine_code_file(*kernel.chapter))) continue;
    if (kernel.emulator().front().needs.exactly) continue;  // the model has no rates for Hopper's own instructions
    for (const std::string& config : configs_of(kernel)) {
      for (const Rates& rates : all_rates()) {
        const InstructionCounts* loop = stored().machine_code.main_loop(kernel.name, config, rates.arch);
        EXPECT_TRUE(loop != nullptr && loop->at("HMMA") + loop->at("FFMA") > 0)
            << kernel.name << " " << config << " " << rates.arch
            << ": docs/results/machine_code.json is to be made anew";
      }
    }
  }
}

// --- No figure exceeds its bound ---------------------------------------------------------------------------------

constexpr double noise_points = 3;  // of percentages of FlashAttention-2; see docs/method/measuring.md

TEST(Bound, NoPublishedFigureExceedsIt) {
  int compared = 0;
  for (const PublishedColumn& column : read_published().columns) {
    const Fa2Speed fa2 = *fa2_speed(column);
    for (const Kernel* step : of_chapter(sixteen)) {
      const Kernel& kernel = *step;
      const double most = fa2.percent(stored().highest(kernel, *fa2.rates)->bound.percent_of_peak);
      EXPECT_LE(column.percent.at(kernel.name), most + noise_points)
          << kernel.name << " on " << column.gpu << (column.is_mean ? ", mean" : "");
      compared++;
    }
  }
  EXPECT_EQ(compared, 4 * 16);
}

// Each config by its own bound, at the SM clock of its own run.
TEST(Bound, NoMeasuredFigureExceedsIt) {
  int compared = 0;
  for (const ResultsFile& file : read_table_folder(stored_results(), read_published()).files) {
    const DeviceFacts& device = file.results.device;
    const Rates* rates = rates_of(arch_of(device.compute_capability));
    if (rates == nullptr) continue;
    for (const flash_steps::Run& run : file.results.runs) {
      const auto bound = stored().of(run.kernel, run.config, *rates);
      const auto fa2 = run.baselines.find(Baseline::fa2);
      if (!bound || !run.timing || fa2 == run.baselines.end()) continue;
      const double clock =
          run.timing->state.sm_clock_mhz > 0 ? run.timing->state.sm_clock_mhz : device.sm_clock_max_mhz;
      const double tflops = bound->percent_of_peak / 100 * rates->flop() * device.sm_count * clock * 1e-6;
      EXPECT_LE(fa2->second.shown_percent(), 100 * tflops / fa2->second.tflops + noise_points)
          << run.kernel << " " << run.config << " at seqlen " << run.problem.seqlen << " in " << file.name();
      compared++;
    }
  }
  EXPECT_GT(compared, 200);
}

// --- As text -----------------------------------------------------------------------------------------------------

std::string printed(const TileWork& work, const std::map<std::string, MainLoop>& loops) {
  std::ostringstream out;
  print_bound(out, {"64x64", 64, 64, 128, 0}, work, loops, {{"sm_80", {&a100(), 150, 200, 1000}}});
  return out.str();
}

TEST(BoundReport, ShowsThePipesOfEachGpuAndWhatTheyAllow) {
  const TileWork work = stored().works.at({"01_base", "64x64"});
  const std::string text = printed(work, main_loops(kernel(1), first_variant(kernel(1)), {}, stored().machine_code));
  EXPECT_THAT(text, AllOf(HasSubstr("one tile of 64 queries and 64 keys"), HasSubstr("RTX 3090"),
                          HasSubstr("8,448   ldmatrix 8,192, cp.async 256"), HasSubstr("12.1"), HasSubstr("48.5"),
                          HasSubstr("sm_80, sm_86, sm_90 from docs/results/machine_code.json")));
  EXPECT_THAT(text, AllOf(HasSubstr("percent of FA2                   16.2              —              —"),
                          Not(HasSubstr("not known"))));
}

TEST(BoundReport, SaysWhichPipesAreNotKnown) {
  const std::string text = printed(stored().works.at({"01_base", "64x64"}), {});
  EXPECT_THAT(text, AllOf(HasSubstr("MUFU                                —              —              —"),
                          HasSubstr("not known for sm_80, sm_86, sm_90"), HasSubstr("12.1")));
}

TEST(BoundReport, TakesTheMachineCodeOfThisBuildBeforeTheStoredOne) {
  const Kernel& first = kernel(1);
  const Variant& variant = first_variant(first);
  MachineCode code{{"sm_90", "symbol", 0, 0}, no_instructions(), no_instructions(), {}};
  code.main_loop["HMMA"] = 7;
  const auto loops = main_loops(first, variant, {{&first, &variant, "attention", code}}, stored().machine_code);
  EXPECT_EQ(loops.at("sm_90").source, "this build");
  EXPECT_EQ(loops.at("sm_90").counts.at("HMMA"), 7);
  EXPECT_EQ(loops.at("sm_80").source, "docs/results/machine_code.json");
  EXPECT_EQ(loops.at("sm_80").counts.at("HMMA"), 128);
}

TEST(BoundReport, OfAPageIsATableAGpuWithALineAStep) {
  const std::string text = render_pipes(of_chapter(sixteen), stored());
  EXPECT_THAT(text,
              AllOf(HasSubstr("| A100 | config | tensor | shared memory | MUFU | FMA | ALU | issue | % of peak |"),
                    HasSubstr("| 01_base | 64x64 | 1,024 | **8,448** | 272 |"), HasSubstr("| 12.1 |"),
                    HasSubstr("| 16_static_stride | 128x64_q2k2v2c1_h16 | **8,192** | 1,536 | 544 |")));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3 * (2 + 16) + 2);
}

TEST(StoredMachineCode, AFileThatIsNotOneIsNamed) {
  const fs::path file = fs::path(testing::TempDir()) / "flash_steps_bound_machine_code.json";
  const auto complaint = [&] {
    try {
      read_stored_machine_code(file);
    } catch (const std::runtime_error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  fs::remove(file);
  EXPECT_THAT(complaint(), AllOf(HasSubstr("cannot read"), HasSubstr(file.string())));
  for (const char* text : {"[]", "{\"rows\": [{}]}", "no JSON"}) {
    std::ofstream(file) << text;
    EXPECT_THAT(complaint(), HasSubstr(file.string())) << text;
  }
  fs::remove(file);
}

}  // namespace
}  // namespace flash_steps
