// The disassembler's text with its control information, read.
#include "harness/predict/code/encoded.h"

#include <gmock/gmock.h>

#include <stdexcept>

#include "harness/predict/code/compressed.h"

namespace flash_steps {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

// Three instructions of 16_static_stride for sm_90, as nvdisasm prints them, and a branch.
constexpr const char* listing = R"(	.section	.text._Z9attentionv,"ax",@progbits
	.sectioninfo	@"SHI_REGISTERS=255"
	.align	128
_Z9attentionv:
.text._Z9attentionv:
	//## File "/x/kernels/16_static_stride.cu", line 57
        /*0070*/                   IADD3 R1, R1, -0x8, RZ ;     /* 0xfffffff801017810 */
                                                               /* 0x000fe20007ffe0ff */
.L_x_3:
	//## File "/x/kernels/isa.cuh", line 36 inlined at "/x/kernels/16_static_stride.cu", line 74
	//## File "/x/kernels/16_static_stride.cu", line 74 inlined at "/x/kernels/16_static_stride.cu", line 180
	//## File "/x/kernels/16_static_stride.cu", line 180
        /*0910*/                   LDSM.16.M88.4 R4, [R228+0x800] ;     /* 0x000800e40004783b */
                                                               /* 0x000e680000000200 */
        /*0920*/              @!P0 BRA `(.L_x_3) ;     /* 0xfffffff000ec8947 */
                                                               /* 0x000fea000383ffff */
	.section	.nv.info,"",@"SHT_CUDA_INFO"
)";

TEST(Encoded, AListingBecomesFunctionsOfInstructions) {
  const std::vector<EncodedFunction> functions = parse_encoded(listing, "16_static_stride.cu");
  ASSERT_THAT(functions, SizeIs(1));
  EXPECT_EQ(functions[0].symbol, "_Z9attentionv");
  ASSERT_THAT(functions[0].instructions, SizeIs(3));
  EXPECT_EQ(functions[0].instructions[0].text, "IADD3 R1, R1, -0x8, RZ");
  EXPECT_EQ(functions[0].instructions[2].text, "@!P0 BRA @1") << "a label becomes the index of its instruction";
}

TEST(Encoded, ALineIsTheInnermostOfTheKernelsFile) {
  const auto instructions = parse_encoded(listing, "16_static_stride.cu")[0].instructions;
  EXPECT_EQ(instructions[0].line, 57);
  EXPECT_EQ(instructions[1].line, 74) << "the word in isa.cuh was inlined there";
  EXPECT_EQ(instructions[2].line, 74) << "what has no line of its own belongs to the one before";
}

TEST(Encoded, TheSchedulersBitsAreReadFromTheUpperHalf) {
  const auto instructions = parse_encoded(listing, "16_static_stride.cu")[0].instructions;
  const Control add = control_of(instructions[0].control);
  EXPECT_EQ(add.stall, 1);
  EXPECT_EQ(add.write_barrier, -1);
  EXPECT_EQ(add.wait, 0);
  const Control load = control_of(instructions[1].control);
  EXPECT_EQ(load.stall, 4);
  EXPECT_EQ(load.write_barrier, 1);
  EXPECT_EQ(load.read_barrier, -1);
  EXPECT_EQ(load.wait, 0);
  EXPECT_EQ(load.reuse, 0);
}

TEST(Encoded, TheTextOfInstructionsCanBeReadBack) {
  const auto instructions = parse_encoded(listing, "16_static_stride.cu")[0].instructions;
  const auto again = instructions_of(text_of(instructions));
  ASSERT_EQ(again.size(), instructions.size());
  for (size_t i = 0; i < again.size(); i++) {
    EXPECT_EQ(again[i].text, instructions[i].text);
    EXPECT_EQ(again[i].control, instructions[i].control);
    EXPECT_EQ(again[i].line, instructions[i].line);
  }
}

TEST(Encoded, ALineThatIsNoInstructionIsRefused) {
  for (const char* text : {"", "zz 1 MOV\n", "07e0ff MOV\n", "07e0ff 1\n", "fffffff 1 MOV R1, R2\n", "07e0ff 1 \n"}) {
    if (*text == '\0') {
      EXPECT_THAT(instructions_of(text), SizeIs(0));
    } else {
      EXPECT_THROW(instructions_of(text), std::invalid_argument) << text;
    }
  }
}

TEST(Compressed, ATextComesBackAsItWas) {
  std::string text;
  for (int i = 0; i < 1000; i++) text += "HMMA.16816.F32 R" + std::to_string(i) + "\n";
  EXPECT_EQ(decompressed(compressed(text)), text);
  EXPECT_LT(compressed(text).size(), text.size() / 3);
  EXPECT_EQ(decompressed(compressed("")), "");
}

TEST(Compressed, WhatIsDamagedIsRefused) {
  const std::string good = compressed("HMMA HMMA HMMA HMMA HMMA");
  for (const std::string& bad : {std::string(), std::string("12"), ":" + good, std::string("9999999999:AA"),
                                 "99" + good, good.substr(0, good.size() - 4), good + "?", std::string("3:!!!!")}) {
    EXPECT_THROW(decompressed(bad), std::runtime_error) << bad;
  }
}

}  // namespace
}  // namespace flash_steps
