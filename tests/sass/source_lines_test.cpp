// What nvdisasm prints of a line table, read.
#include "harness/sass/source_lines.h"

#include <gmock/gmock.h>

#include "harness/sass/stored_lines.h"
#include "tests/support/temporary_folder.h"

namespace flash_steps {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string line_table = R"(	.target	sm_90
	.section	.text._Z5otherv,"ax",@progbits
        /*0000*/                   EXIT ;
	.section	.text._Z4mainv,"ax",@progbits
	.align	128
.text._Z4mainv:
	//## File "/somewhere/kernels/01_base.cu", line 88
        /*0000*/                   LDC R1, c[0x0][0x28] ;
	//## File "/somewhere/kernels/isa.cuh", line 36 inlined at "/somewhere/kernels/01_base.cu", line 50
	//## File "/somewhere/kernels/01_base.cu", line 50 inlined at "/somewhere/kernels/01_base.cu", line 107
	//## File "/somewhere/kernels/01_base.cu", line 107
.L_x_3:
        /*0010*/                   LDGSTS.E.BYPASS.128 [R2], desc[UR4][R4.64] ;
        /*0020*/               @!P0 BRA `(.L_x_3) ;
	//## File "/usr/include/other.h", line 9
        /*0030*/                   EXIT ;
	.section	.nv.info,"",@"SHT_CUDA_INFO"
)";

TEST(PlacedInstructions, HaveTheLinesFromTheKernelInwards) {
  EXPECT_THAT(parse_placed(line_table, "_Z4mainv", "01_base.cu"),
              ElementsAre(PlacedInstruction{{88}, "LDC R1, c[0x0][0x28]"},
                          PlacedInstruction{{107, 50}, "LDGSTS.E.BYPASS.128 [R2], desc[UR4][R4.64]"},
                          PlacedInstruction{{107, 50}, "@!P0 BRA 0x10"}, PlacedInstruction{{}, "EXIT"}));
}

TEST(PlacedInstructions, OfAnotherFunctionAreNone) {
  EXPECT_THAT(parse_placed(line_table, "_Z4gonev", "01_base.cu"), IsEmpty());
  EXPECT_THAT(parse_placed(line_table, "_Z5otherv", "01_base.cu"), ElementsAre(PlacedInstruction{{}, "EXIT"}));
}

using StoredLines = InTemporaryFolder;

TEST_F(StoredLines, AreReadAsTheyWereWritten) {
  const KernelLines lines{"01_base",
                          "64x64",
                          "0123456789abcdef",
                          {"// a \"line\"", "int b;"},
                          {{"sm_80", "attention", 168, parse_placed(line_table, "_Z4mainv", "01_base.cu")}}};
  const std::filesystem::path file = folder_ / "01_base.json";
  write_machine_lines(lines, Meta{}, file);
  const KernelLines read = read_machine_lines(file);
  EXPECT_EQ(read.kernel, lines.kernel);
  EXPECT_EQ(read.config, lines.config);
  EXPECT_EQ(read.code, lines.code);
  EXPECT_EQ(read.source, lines.source);
  ASSERT_EQ(read.functions.size(), 1u);
  EXPECT_EQ(read.functions[0].registers, 168);
  EXPECT_EQ(read.functions[0].instructions, lines.functions[0].instructions);
}

TEST_F(StoredLines, ThatAreDamagedAreNamed) {
  const auto file = written("bad.json",
                            R"({"schema": "flash-steps/machine-lines/1", "kernel": "01_base", "config": "64x64",
 "code": {"01_base": "0"}, "source": [], "functions": [{"arch": "sm_80", "function": "attention", "registers": 1,
 "places": [[1]], "code": [[1, "EXIT"]]}]})");
  try {
    read_machine_lines(file);
    FAIL() << "it was read";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("functions[0].code[0][0] is none of the places"));
  }
}

}  // namespace
}  // namespace flash_steps
