// The model of an SM, on small programs whose times can be counted by hand.
#include "harness/predict/sm/sm.h"

#include <gmock/gmock.h>

#include "harness/predict/grid.h"

namespace flash_steps {
namespace {

SmTimings hopper() { return timings_of(*rates_of("sm_90")); }

// A loop of these instructions, between nothing and an EXIT. The control: a stall of 1, no barriers.
constexpr uint32_t free_control = 0x7f1;  // both barriers 7, stall 1, no yield asked for: bit 4 set

struct Line {
  std::string text;
  uint32_t control = free_control;
};

CtaProgram looped(std::vector<Line> body, int products_of_tile = 1) {
  std::vector<EncodedInstruction> code;
  for (const Line& line : body) code.push_back({line.text, line.control, 1});
  code.push_back({"@P0 BRA @0", free_control, 2});
  code.push_back({"EXIT", free_control, 3});
  return {program_of(decode(code)), 4, products_of_tile, 4, 4};
}

uint32_t control(int stall, int write_barrier, int wait) {
  return static_cast<uint32_t>(stall | 1 << 4 | write_barrier << 5 | 7 << 8 | wait << 11);
}

// The difference of two runs: at the end of one what shared memory was asked for last is still in its queue.
double cycles_of_pass(const CtaProgram& cta, const SmTimings& timings, int resident) {
  constexpr int passes = 200;
  const auto cycles = [&](int count) {
    return static_cast<double>(run_sm(timings, cta.schedule(count), resident, resident).cycles);
  };
  return (cycles(2 * passes) - cycles(passes)) / passes;
}

SmTimings without_surroundings(SmTimings timings) {
  timings.branch_latency = 0;
  timings.cta_stagger = 0;
  return timings;
}

TEST(Sm, TheTensorPipeTakesAProductEverySixCyclesOnHopper) {
  std::vector<Line> body(16, {"HMMA.16816.F32 R4, R8, R12, R4"});
  SmTimings timings = without_surroundings(hopper());
  timings.operand_ports = 0;
  EXPECT_NEAR(cycles_of_pass(looped(body, 16), timings, 1), 16 * 6, 2);
  EXPECT_NEAR(cycles_of_pass(looped(body, 16), timings, 2), 2 * 16 * 6, 3) << "two warps of a sub-core share it";
}

TEST(Sm, TheRatesOfTheArchitecturesDiffer) {
  const std::vector<Line> body(16, {"HMMA.16816.F32 R4, R8, R12, R4"});
  const auto cycles = [&](const char* arch) {
    SmTimings timings = without_surroundings(timings_of(*rates_of(arch)));
    timings.operand_ports = 0;
    return cycles_of_pass(looped(body, 16), timings, 1);
  };
  EXPECT_NEAR(cycles("sm_80"), 16 * 8, 2);
  EXPECT_NEAR(cycles("sm_86"), 16 * 32, 2);
}

TEST(Sm, AWarpThatWaitsForItsOperandsLetsAnotherIssue) {
  // A load and a product that waits for it: alone the warp stands still for the latency.
  const CtaProgram cta =
      looped({{"LDSM.16.M88.4 R8, [R1]", control(1, 0, 0)}, {"HMMA.16816.F32 R4, R8, R12, R4", control(1, 7, 1)}});
  const SmTimings timings = without_surroundings(hopper());
  const double alone = cycles_of_pass(cta, timings, 1), together = cycles_of_pass(cta, timings, 2);
  EXPECT_GT(alone, 30);
  EXPECT_LT(together, 1.3 * alone) << "for two warps instead of one";
}

TEST(Sm, StallsAreCountedForWhatTheWarpWaitedFor) {
  const CtaProgram cta =
      looped({{"LDSM.16.M88.4 R8, [R1]", control(1, 0, 0)}, {"HMMA.16816.F32 R4, R8, R12, R4", control(1, 7, 1)}});
  const SmRun run = run_sm(hopper(), cta.schedule(100), 1, 1);
  const StallCycles& at_product = run.by_index[1];
  EXPECT_GT(at_product[static_cast<int>(Stall::shared_memory)], 4 * 100 * 20);
  EXPECT_EQ(at_product[static_cast<int>(Stall::issued)], 4 * 100);
  EXPECT_EQ(at_product[static_cast<int>(Stall::mufu)], 0);
}

TEST(Sm, SharedMemoryServesFourSubCoresOneAfterTheOther) {
  const std::vector<Line> body{{"LDSM.16.M88.4 R8, [R1]", control(2, 7, 0)},
                               {"LDSM.16.M88.4 R8, [R1]", control(2, 7, 0)},
                               {"LDSM.16.M88.4 R8, [R1]", control(2, 7, 0)},
                               {"HMMA.16816.F32 R4, R8, R12, R4", control(1, 7, 0)}};
  EXPECT_NEAR(cycles_of_pass(looped(body), without_surroundings(hopper()), 1), 3 * 4 * 4, 2)
      << "three loads of four wavefronts from each of four warps";
}

TEST(Sm, BankConflictsTakeTheirWavefronts) {
  const std::vector<EncodedInstruction> code{{"LDSM.16.M88.4 R8, [R1]", control(2, 7, 0), 1},
                                             {"HMMA.16816.F32 R4, R8, R12, R4", control(1, 7, 0), 1},
                                             {"@P0 BRA @0", free_control, 1},
                                             {"EXIT", free_control, 1}};
  const CtaProgram cta{program_of(decode(code)), 4, 1, 32, 4};
  EXPECT_NEAR(cycles_of_pass(cta, without_surroundings(hopper()), 1), 4 * 32, 2);
}

TEST(Sm, AResultIsTheSameEveryTime) {
  const CtaProgram cta = looped({{"LDGSTS.E.128 [R1], [R2.64]", control(1, 7, 0)},
                                 {"LDGDEPBAR", control(1, 0, 0)},
                                 {"DEPBAR.LE SB0, 0x0", control(1, 7, 0)},
                                 {"BAR.SYNC 0x0", control(1, 7, 0)},
                                 {"HMMA.16816.F32 R4, R8, R12, R4", control(1, 7, 0)}});
  const SmRun first = run_sm(hopper(), cta.schedule(50), 2, 6), second = run_sm(hopper(), cta.schedule(50), 2, 6);
  EXPECT_EQ(first.finished, second.finished);
  EXPECT_EQ(first.by_index, second.by_index);
}

TEST(Sm, AWaitForCopiesLastsAsLongAsL2Takes) {
  const CtaProgram cta = looped({{"LDGSTS.E.128 [R1], [R2.64]", control(1, 7, 0)},
                                 {"LDGDEPBAR", control(1, 0, 0)},
                                 {"DEPBAR.LE SB0, 0x0", control(1, 7, 0)},
                                 {"HMMA.16816.F32 R4, R8, R12, R4", control(1, 7, 0)}});
  SmTimings near = without_surroundings(hopper()), far = near;
  far.l2_latency = near.l2_latency + 500;
  near.l2_spread = far.l2_spread = 0;
  EXPECT_NEAR(cycles_of_pass(cta, far, 1) - cycles_of_pass(cta, near, 1), 500, 5);
}

// --- Beyond one SM -------------------------------------------------------------------------------------------------

TEST(Grid, LongRunsAreExtrapolatedFromShortOnes) {
  const CtaProgram cta =
      looped({{"LDSM.16.M88.4 R8, [R1]", control(1, 0, 0)}, {"HMMA.16816.F32 R4, R8, R12, R4", control(1, 7, 1)}});
  SmTime sm(hopper(), cta, 2);
  const double simulated = static_cast<double>(run_sm(hopper(), cta.schedule(64), 2, 20).cycles);
  EXPECT_NEAR(sm.cycles(20, {64, 0}), simulated, 0.02 * simulated);
}

TEST(Grid, TheSmWithTheMostCtasIsTheOneThatCounts) {
  EXPECT_EQ(most_ctas(264, 132), 2);
  EXPECT_EQ(most_ctas(265, 132), 3);
  EXPECT_EQ(most_ctas(1, 132), 1);
}

TEST(Timings, EveryFigureNamesItsSource) {
  for (const TimingSource& source : timing_sources()) {
    EXPECT_STRNE(source.where, "") << source.name;
    EXPECT_NE(std::string(name_of(source.source)), "");
  }
}

}  // namespace
}  // namespace flash_steps
