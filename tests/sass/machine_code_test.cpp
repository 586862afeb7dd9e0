// Machine code is read as the disassembler writes it, asked for on the command line, and shown as a table.
#include "harness/console/machine_code.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/base/error.h"
#include "harness/base/process.h"
#include "harness/base/terminal.h"
#include "harness/base/text.h"
#include "harness/contract/coverage.h"
#include "harness/contract/module.h"
#include "harness/contract/registry.h"
#include "harness/machine/machine.h"
#include "harness/measure/plan.h"
#include "harness/runner/options.h"
#include "harness/sass/built.h"
#include "harness/sass/counts.h"
#include "harness/sass/cuobjdump.h"
#include "harness/sass/listing.h"
#include "harness/sass/symbol.h"
#include "tests/sass/has_cuda.h"
#include "tests/support/tile_arithmetic.h"

namespace flash_steps {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// --- Reading ---------------------------------------------------------------------------------------------------------

// An outer loop around an inner one with the products, a branch out, and one that stands still.
constexpr const char* listing = R"sass(
	code for sm_80
		Function : _ZN11flash_steps12_01_base_cu_9attentionE
	.headerflags	@"EF_CUDA_SM80 EF_CUDA_PTX_SM(EF_CUDA_SM80)"
        /*0000*/                   MOV R1, c[0x0][0x28] ;                     /* 0x00000a0000017a02 */
                                                                              /* 0x000fc40000000f00 */
        /*0010*/                   IMAD.MOV.U32 R2, RZ, RZ, R1 ;              /* 0x000000ffff027224 */
                                                                              /* 0x000fc400078e0001 */
        /*0020*/                   LDSM.16.M88.4 R4, [R10] ;                  /* 0x000000000a04783b */
        /*0030*/                   HMMA.16816.F32 R4, R4, R8, RZ ;            /* 0x000000080404723c */
        /*0040*/              @!P0 BRA 0x60 ;                                 /* 0x0000000000008947 */
        /*0050*/                   IMAD.WIDE R2, R2, 0x2, R4 ;                /* 0x0000000202027825 */
        /*0060*/              @!P0 BRA P1, 0x20 ;                             /* 0xffffffa000008947 */
        /*0070*/                   VIADD R2, R2, 0x1 ;                        /* 0x0000000102027836 */
        /*0080*/                   IADD3 R2, R2, 0x1, RZ ;                    /* 0x0000000102027810 */
        /*0090*/              @!P1 BRA 0x10 ;                                 /* 0xffffff7000009947 */
        /*00a0*/               @P2 STG.E.128 [R2.64], R4 ;                    /* 0x0000000402002986 */
        /*00b0*/                   NOP ;                                      /* 0x0000000000007918 */
        /*00c0*/                   EXIT ;                                     /* 0x000000000000794d */
        /*00d0*/                   BRA 0xd0;                                  /* 0xfffffff000007947 */
        /*00e0*/                   NOP;                                       /* 0x0000000000007918 */
        /*00f0*/                   NOP;                                       /* 0x0000000000007918 */
)sass";

std::vector<std::string> opcodes(const std::vector<Instruction>& instructions) {
  std::vector<std::string> opcodes;
  for (const Instruction& instruction : instructions) opcodes.push_back(instruction.opcode);
  return opcodes;
}

TEST(MachineCodeListing, IsReadWithoutPredicatesAndEncodings) {
  const std::vector<Instruction> instructions = parse_listing(listing);
  EXPECT_THAT(opcodes(instructions),
              ElementsAre("MOV", "IMAD.MOV.U32", "LDSM.16.M88.4", "HMMA.16816.F32", "BRA", "IMAD.WIDE", "BRA", "VIADD",
                          "IADD3", "BRA", "STG.E.128", "NOP", "EXIT", "BRA", "NOP", "NOP"));
  EXPECT_EQ(instructions[6].address, 0x60);
  EXPECT_EQ(instructions[6].target, 0x20);
  EXPECT_EQ(instructions[2].target, std::nullopt);
  EXPECT_THAT(parse_listing("Fatbin elf code:\n================\n"), IsEmpty());
}

TEST(MachineCodeListing, HasTheShortestLoopWithTheMostProductsAsItsMainLoop) {
  EXPECT_THAT(opcodes(main_loop(parse_listing(listing))),
              ElementsAre("LDSM.16.M88.4", "HMMA.16816.F32", "BRA", "IMAD.WIDE", "BRA"));
  EXPECT_THAT(main_loop(parse_listing("/*0000*/ FADD R1, R1, R1 ;\n/*0010*/ BRA 0x0 ;\n")), IsEmpty());
}

TEST(MachineCodeListing, IsCountedByMnemonicWithCopiesOfRegistersTogether) {
  const MachineCode code = machine_code({}, parse_listing(listing));
  EXPECT_EQ(code.whole_kernel.at("total"), 16);
  EXPECT_EQ(code.whole_kernel.at("MOV"), 2);
  EXPECT_EQ(code.whole_kernel.at("IMAD"), 1);
  EXPECT_EQ(code.whole_kernel.at("IADD3"), 1);
  EXPECT_EQ(code.whole_kernel.at("FMUL"), 0);
  EXPECT_EQ(code.main_loop.at("total"), 5);
  EXPECT_EQ(code.main_loop.at("HMMA"), 1);
  EXPECT_EQ(code.main_loop.at("MOV"), 0);
  EXPECT_THAT(code.global_accesses, ElementsAre("STG.E.128"));
}

TEST(MachineCodeFunctions, AreReadWithTheirArchitectureAndResources) {
  const std::vector<DeviceFunction> functions = parse_functions(R"(
Fatbin elf code:
================
arch = sm_80
identifier = kernels/01_base.cu

Resource usage:
 Common:
  GLOBAL:0
 Function _Zfirst:
  REG:168 STACK:8 SHARED:1024 LOCAL:0 CONSTANT[0]:568 TEXTURE:0 SURFACE:0 SAMPLER:0
 Function _Zsecond:
  REG:255 STACK:0 SHARED:0 LOCAL:0 CONSTANT[0]:568 TEXTURE:0 SURFACE:0 SAMPLER:0

Fatbin elf code:
================
arch = sm_90
 Function _Zfirst:
  REG:72 STACK:16 SHARED:0 LOCAL:0 CONSTANT[0]:568 TEXTURE:0 SURFACE:0 SAMPLER:0
)");
  ASSERT_EQ(functions.size(), 3u);
  EXPECT_EQ(functions[0].symbol, "_Zfirst");
  EXPECT_EQ(functions[0].arch, "sm_80");
  EXPECT_EQ(functions[0].registers, 168);
  EXPECT_EQ(functions[0].stack_bytes, 8);
  EXPECT_EQ(functions[1].symbol, "_Zsecond");
  EXPECT_EQ(functions[2].arch, "sm_90");
  EXPECT_EQ(functions[2].stack_bytes, 16);
}

Variant variant_named(const std::string& config) { return {{config, 64, 64, 128, 0}, Dtype::fp16}; }

TEST(MachineCodeSymbols, BelongToTheFunctionWithTheSameNameAndArguments) {
  const std::string plain =
      "_ZN11flash_steps49_GLOBAL__N__2f91117e_10_01_base_cu_5068a00f_147189attentionINS_6fp16_tEEEvPKT_S5_S5_PS3_ii";
  const std::string chosen =
      "_ZN11flash_steps53_GLOBAL__N__83a68e59_14_07_autotune_cu_d4214bbc_148459attentionINS_6bf16_tELi128ELi32ELi0ELi2E"
      "Li2ELb1ELi16EEEvPKT_S5_S5_PS3_ii";
  EXPECT_TRUE(is_symbol_of(plain, "attention<fp16_t>"));
  EXPECT_FALSE(is_symbol_of(plain, "attention<bf16_t>"));
  EXPECT_FALSE(is_symbol_of(plain, "softmax<fp16_t>"));
  EXPECT_FALSE(is_symbol_of(plain, "attention<fp16_t, 64>"));
  EXPECT_TRUE(is_symbol_of(chosen, "attention<bf16_t, 128, 32, 0, 2, 2, true, 16>"));
  EXPECT_FALSE(is_symbol_of(chosen, "attention<bf16_t, 128, 32, 0, 2, 2, false, 16>"));
  EXPECT_FALSE(is_symbol_of(chosen, "attention<bf16_t, 128, 32, 0, 2, 2, true, 1>"));
  EXPECT_FALSE(is_symbol_of(chosen, "attention<bf16_t, 128, 32, 0, 2, 2, true>"));
  EXPECT_FALSE(is_symbol_of(chosen, "attention<bf16_t, 32, 128, 0, 2, 2, true, 16>"));
  EXPECT_TRUE(is_symbol_of("_ZN3abc5clearEPfi", "clear"));
}

TEST(MachineCodeSymbols, OfEveryLaunchAreWrittenByTheCompiler) {
  for (const Kernel& kernel : kernels()) {
    for (const Variant& variant : kernel.emulator()) {
      for (const Launch& launch : variant.plan({.seqlen = seqlen_step(variant.tile)}, {})) {
        EXPECT_THAT(launch.function, HasSubstr(std::string("<") + name_of(variant.dtype) + "_t")) << kernel.name;
        EXPECT_THAT(launch.function, Not(HasSubstr("::"))) << kernel.name;
      }
    }
  }
}

// --- Asking for it ---------------------------------------------------------------------------------------------------

void expect_usage_error(std::vector<const char*> arguments, const std::string& sentence) {
  arguments.insert(arguments.begin(), "runner");
  try {
    parse_options(static_cast<int>(arguments.size()), arguments.data());
    ADD_FAILURE() << "accepted; expected: " << sentence;
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr(sentence));
  }
}

TEST(MachineCodeOptions, TakeAListOfArchitecturesAndNeedNoKernel) {
  const char* arguments[] = {"runner", "--machine-code", "--arch=sm_80,sm_90"};
  const Options options = parse_options(3, arguments);
  EXPECT_EQ(options.mode, Mode::machine_code);
  EXPECT_THAT(options.archs, ElementsAre("sm_80", "sm_90"));
}

TEST(MachineCodeOptions, AreRefusedWhereTheyMeanNothing) {
  expect_usage_error({"--kernel=01", "--arch=sm_80"}, "--arch=sm_80 is for --machine-code");
  expect_usage_error({"--machine-code", "--arch=80"}, "--arch=80 is not a list such as sm_80,sm_90");
  expect_usage_error({"--machine-code", "--arch=sm_80,"}, "a list such as");
  expect_usage_error({"--machine-code", "--diff"}, "leave one of them out");
}

// --- Showing it ------------------------------------------------------------------------------------------------------

InstructionCounts counts_of(int copies, int total) {
  InstructionCounts counts = count_instructions({});
  counts["MOV"] = copies;
  counts["total"] = total;
  return counts;
}

std::string squeezed(std::string text) {
  text.erase(std::unique(text.begin(), text.end(), [](char a, char b) { return a == ' ' && b == ' '; }), text.end());
  return text;
}

std::string header(const std::string& arch) {
  return arch +
         " HMMA LDSM LDGSTS IADD3 LOP3 SHF LEA IMAD MOV FMUL FADD FFMA FMNMX MUFU CS2R R2UR LDL STL LDG LDS\n"
         " STS HADD2 total\n";
}

std::string line(const std::string& label, int copies, int total) {
  return label + " 0 0 0 0 0 0 0 0 " + std::to_string(copies) + " 0 0 0 0 0 0 0 0 0 0 0\n 0 0 " +
         std::to_string(total) + "\n";
}

TEST(MachineCodeTable, ShowsWhatChangedSinceTheSameConfigOfTheKernelBefore) {
  const Kernel& before = *find_kernel("07_autotune");
  const Kernel& after = *find_kernel("08_integer_ops");
  const Variant small = variant_named("64x64_q0k2v2");
  const Variant large = variant_named("128x64_q2k2v2");
  const Variant large_16 = variant_named("128x64_q2k2v2_h16");
  std::ostringstream out;
  print_machine_code(
      out, {{&before, &small, "attention", {{"sm_80", "", 168, 0}, counts_of(9, 99), counts_of(0, 0), {}}},
            {&before, &large, "attention", {{"sm_80", "", 255, 8}, counts_of(5, 1200), counts_of(5, 900), {}}},
            {&after, &large, "attention", {{"sm_80", "", 254, 0}, counts_of(3, 1300), counts_of(5, 900), {}}},
            {&after, &large_16, "attention", {{"sm_80", "", 255, 0}, counts_of(5, 1200), counts_of(4, 890), {}}},
            {&before, &small, "attention", {{"sm_90", "", 168, 0}, counts_of(1, 2), counts_of(1, 2), {}}}});
  EXPECT_EQ(squeezed(out.str()),
            header("sm_80") +                                                                         //
                "07_autotune 64x64_q0k2v2: 168 registers, 0 B of stack\n" +                           //
                line("kernel", 9, 99) + line("loop", 0, 0) +                                          //
                "07_autotune 128x64_q2k2v2: 255 registers, 8 B of stack\n" +                          //
                line("kernel", 5, 1200) + line("loop", 5, 900) +                                      //
                "08_integer_ops 128x64_q2k2v2: 254 registers, 0 B of stack, against 07_autotune\n" +  //
                line("kernel", 3, 1300) + "change -2\n +100\n" + line("loop", 5, 900) +
                "08_integer_ops 128x64_q2k2v2_h16: 255 registers, 0 B of stack, against 07_autotune "
                "128x64_q2k2v2\n" +
                line("kernel", 5, 1200) + line("loop", 4, 890) + "change -1\n -10\n" +  //
                "\n" + header("sm_90") + "07_autotune 64x64_q0k2v2: 168 registers, 0 B of stack\n" +
                line("kernel", 1, 2) + line("loop", 1, 2));
}

TEST(MachineCodeTable, IsNoWiderThanThePage) {
  const Kernel& before = *find_kernel("15_tiled_head_dim");
  const Kernel& after = *find_kernel("16_static_stride");
  const Variant dynamic = variant_named("128x64_q2k2v2c1");
  const Variant fixed = variant_named("128x64_q2k2v2c1_h16");
  InstructionCounts many = count_instructions({});
  for (auto& [name, count] : many) count = -999;
  many["total"] = 9999;
  std::stringstream out;
  print_machine_code(out,
                     {{&before, &dynamic, "attention", {{"sm_80", "", 255, 0}, counts_of(0, 0), counts_of(0, 0), {}}},
                      {&after, &fixed, "attention", {{"sm_80", "", 255, 128}, many, many, {}}}});
  for (std::string line; std::getline(out, line);) EXPECT_LE(width_of(line), page_width()) << line;
}

// --- The program -----------------------------------------------------------------------------------------------------

class MachineCodeRun : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove(json_); }
  void TearDown() override { std::filesystem::remove(json_); }

  const std::string json_ = testing::TempDir() + "flash_steps_machine_code.json";
};

TEST_F(MachineCodeRun, WithoutMachineCodeCannotBeDone) {
  if (has_cuda) GTEST_SKIP() << "this build has a GPU backend";
  EXPECT_EQ(run_process({FLASH_STEPS_RUNNER, "--machine-code", "--json=" + json_})->exit_code, 3);
  EXPECT_FALSE(std::filesystem::exists(json_));
}

TEST_F(MachineCodeRun, PrintsATableWithChangesAndWritesTheSameCounts) {
  if (!has_cuda) GTEST_SKIP() << "this build has no GPU backend";
  try {
    const Cuobjdump is_here;
  } catch (const MachineError& error) {
    GTEST_SKIP() << error.what();
  }
  const auto result = run_process({FLASH_STEPS_RUNNER, "--machine-code", "--kernel=05,06", "--json=" + json_});
  ASSERT_EQ(result->exit_code, 0);
  EXPECT_THAT(result->output, HasSubstr("06_fp32_throughput 64x64: "));
  EXPECT_THAT(result->output, HasSubstr(", against 05_double_buffering\n"));
  EXPECT_THAT(result->output, HasSubstr("\nchange "));
  std::ifstream file(json_);
  const auto json = nlohmann::json::parse(file);
  EXPECT_EQ(json.at("schema"), "flash-steps/machine-code/2");
  EXPECT_THAT(json.at("meta").at("argv").get<std::vector<std::string>>(), Contains("--machine-code"));
  const auto& row = json.at("rows").at(0);
  EXPECT_EQ(row.at("kernel"), "05_double_buffering");
  EXPECT_EQ(row.at("dtype"), "fp16");
  EXPECT_EQ(row.at("main_loop").at("HMMA"), 128);
  EXPECT_GT(row.at("registers"), 0);
}

TEST_F(MachineCodeRun, RefusesAnArchitectureThatWasNotBuilt) {
  EXPECT_EQ(run_process({FLASH_STEPS_RUNNER, "--machine-code", "--kernel=01", "--arch=sm_10"})->exit_code, 3);
}

}  // namespace
}  // namespace flash_steps
