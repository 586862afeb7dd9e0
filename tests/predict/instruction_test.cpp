// An instruction's text, understood.
#include "harness/predict/code/instruction.h"

#include <gmock/gmock.h>

#include <stdexcept>

#include "harness/predict/code/program.h"

namespace flash_steps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::ThrowsMessage;

DecodedInstruction decoded(const std::string& text) { return decode(EncodedInstruction{text, 0, 1}); }

TEST(Instruction, AProductReadsTenRegistersOfWhichTheFirstFourMayStay) {
  const DecodedInstruction product = decoded("HMMA.16816.F32 R52, R28.reuse, R34, R8");
  EXPECT_EQ(product.unit, Unit::tensor);
  ASSERT_THAT(product.operands, SizeIs(3));
  EXPECT_EQ(product.operands[0].first, 28);
  EXPECT_EQ(product.operands[0].count, 4);
  EXPECT_TRUE(product.operands[0].reuse);
  EXPECT_EQ(product.operands[1].count, 2);
  EXPECT_FALSE(product.operands[1].reuse);
  EXPECT_EQ(product.operands[2].count, 4);
}

TEST(Instruction, TheZeroRegisterAndUniformOnesAreNotRead) {
  EXPECT_THAT(decoded("HMMA.16816.F32 R52, R28, R34, RZ").operands, SizeIs(2));
  EXPECT_THAT(decoded("LEA R2, P0, R6.reuse, UR4, 0x1").operands, SizeIs(1));
}

TEST(Instruction, AddressesOfSixtyFourBitsAreTwoRegisters) {
  const DecodedInstruction copy = decoded("LDGSTS.E.BYPASS.LTC128B.128 [R229+0x4000], desc[UR10][R2.64+0x80]");
  EXPECT_EQ(copy.unit, Unit::copy);
  EXPECT_EQ(copy.registers, 4);
  ASSERT_THAT(copy.operands, SizeIs(2));
  EXPECT_EQ(copy.operands[0].count, 1);
  EXPECT_EQ(copy.operands[1].first, 2);
  EXPECT_EQ(copy.operands[1].count, 2);
}

TEST(Instruction, AStoreReadsAllThatItStores) {
  const DecodedInstruction store = decoded("STG.E.NA.128.STRONG.GPU desc[UR10][R6.64], R44");
  ASSERT_THAT(store.operands, SizeIs(2));
  EXPECT_EQ(store.operands[1].first, 44);
  EXPECT_EQ(store.operands[1].count, 4);
}

TEST(Instruction, AWaitKnowsHowManyGroupsMayBeOpen) {
  EXPECT_EQ(decoded("DEPBAR.LE SB0, 0x1").count, 1);
  EXPECT_EQ(decoded("DEPBAR.LE SB0, 0x0").unit, Unit::copy_wait);
}

TEST(Instruction, ABranchKnowsItsTargetAndWhetherItHasACondition) {
  const DecodedInstruction branch = decoded("@P0 BRA @1203");
  EXPECT_EQ(branch.target, 1203);
  EXPECT_TRUE(branch.is_conditional);
  EXPECT_FALSE(decoded("BRA @7").is_conditional);
  EXPECT_EQ(decoded("RET.REL.NODEC R48 @?").target, -1);
}

TEST(Instruction, WhatAPredicateTurnsOffDoesNothing) {
  EXPECT_EQ(decoded("@!PT LDS RZ, [RZ]").unit, Unit::none);
  EXPECT_EQ(decoded("@!P1 LDS R4, [R5]").unit, Unit::shared_load);
}

TEST(Instruction, OneThatIsNotKnownIsAnErrorThatNamesIt) {
  EXPECT_THAT([] { decoded("@P0 WGMMA.64x8 R1, R2"); },
              ThrowsMessage<std::runtime_error>(HasSubstr("@P0 WGMMA.64x8 R1, R2 is not known")));
}

// --- The order -----------------------------------------------------------------------------------------------------

Program program(const std::vector<std::string>& texts) {
  std::vector<EncodedInstruction> code;
  for (const std::string& text : texts) code.push_back({text, 0, 1});
  return program_of(decode(code));
}

std::vector<int> places(const std::vector<OrderStep>& steps) {
  std::vector<int> indices;
  for (const OrderStep& step : steps) indices.push_back(step.index);
  return indices;
}

std::vector<int> loop_of(const Program& program, bool last) {
  std::vector<int> indices;
  for (const OrderStep& step : program.loop) {
    if (!last || !(step.not_in_last || step.of_next_tile)) indices.push_back(step.index);
  }
  return indices;
}

TEST(Program, ALoopIsPassedAsOftenAsTheTilesAsk) {
  const Program code =
      program({"MOV R1, R2", "HMMA.16816.F32 R4, R8, R12, R4", "HMMA.16816.F32 R4, R8, R12, R4", "@P0 BRA @1", "EXIT"});
  EXPECT_THAT(places(code.prologue), ElementsAre(0));
  EXPECT_THAT(loop_of(code, false), ElementsAre(1, 2, 3));
  EXPECT_THAT(places(code.epilogue), ElementsAre(4));
  EXPECT_EQ(code.passes(8, 2).unmasked, 8);
  EXPECT_EQ(code.passes(8, 1).unmasked, 4) << "two tiles a pass";
  EXPECT_THAT([&] { (void)code.passes(3, 1); }, ThrowsMessage<std::runtime_error>(HasSubstr("do not make up 3 tiles")));
}

TEST(Program, ProductsInFrontOfTheLoopAreTakenOff) {
  const Program code =
      program({"HMMA.16816.F32 R4, R8, R12, R4", "HMMA.16816.F32 R4, R8, R12, R4", "HMMA.16816.F32 R4, R8, R12, R4",
               "@P0 BRA @1", "HMMA.16816.F32 R4, R8, R12, R4", "EXIT"});
  EXPECT_EQ(code.passes(8, 2).unmasked, 7);
}

TEST(Program, TheLastPassDoesWithoutTheCopyOfTheNextTile) {
  const Program code = program({"@P1 BRA @3", "LDGSTS.E.128 [R1], [R2.64]", "LDGDEPBAR",
                                "HMMA.16816.F32 R4, R8, R12, R4", "@P0 BRA @0", "EXIT"});
  EXPECT_THAT(loop_of(code, false), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(loop_of(code, true), ElementsAre(0, 3, 4));
}

TEST(Program, ALoopMayBeLeftInItsMiddle) {
  const Program code =
      program({"HMMA.16816.F32 R4, R8, R12, R4", "@P0 BRA @4", "FADD R1, R2, R3", "BRA @0", "FMUL R1, R2, R3", "EXIT"});
  EXPECT_THAT(loop_of(code, true), ElementsAre(0, 1));
  EXPECT_THAT(places(code.epilogue), ElementsAre(4, 5));
}

TEST(Program, TheSlowPathOfADivisionIsPassedBy) {
  const Program code = program({"HMMA.16816.F32 R4, R8, R12, R4", "@P0 BRA @0", "@P1 BRA @5", "MOV R1, R2",
                                "CALL.REL.NOINC @7", "FMUL R1, R2, R3", "EXIT", "MUFU.RCP R1, R2"});
  EXPECT_THAT(places(code.epilogue), ElementsAre(2, 5, 6));
}

TEST(Program, OfTwoLoopsWithAsManyProductsTheFirstIsTheOneWithAMask) {
  const std::string product = "HMMA.16816.F32 R4, R8, R12, R4";
  const Program code =
      program({product, "FSEL R1, R2, R3, P0", product, "@P0 BRA @1", "@!P1 BRA @7", product, "@P0 BRA @5", "EXIT"});
  EXPECT_THAT(places(code.prologue), ElementsAre(0));
  EXPECT_THAT(places(code.masked), ElementsAre(1, 2, 3));
  EXPECT_THAT(places(code.between), ElementsAre(4)) << "it leads past the loop where no tile is left for that";
  EXPECT_THAT(places(code.loop), ElementsAre(5, 6));
  const Passes passes = code.passes(8, 1, 2);
  EXPECT_EQ(passes.masked, 2);
  EXPECT_EQ(passes.unmasked, 8 - 1 - 2);
  EXPECT_EQ(code.passes(8, 1).unmasked, 7) << "without a mask the first loop is passed by";
  EXPECT_THAT([&] { (void)code.passes(2, 1, 2); }, ThrowsMessage<std::runtime_error>(HasSubstr("do not make up 2")));
}

TEST(Program, OfBranchesAroundACallTheInnermostIsTaken) {
  const Program code =
      program({"HMMA.16816.F32 R4, R8, R12, R4", "@P0 BRA @0", "@P1 BRA @7", "MOV R1, R2", "@P2 BRA @6",
               "CALL.REL.NOINC @9", "FMUL R1, R2, R3", "EXIT", "NOP", "MUFU.RCP R1, R2"});
  EXPECT_THAT(places(code.epilogue), ElementsAre(2, 3, 4, 6, 7)) << "the outer one asks whether there is a sum at all";
}

TEST(Program, OfThreeLoopsNoneIsKnownToBeTheOneWithAMask) {
  const std::string product = "HMMA.16816.F32 R4, R8, R12, R4";
  EXPECT_THAT(
      [&] {
        program({product, "@P0 BRA @0", product, "@P0 BRA @2", product, "@P0 BRA @4", "EXIT"});
      },
      ThrowsMessage<std::runtime_error>(HasSubstr("3 loops with as many products")));
}

TEST(Program, CodeWithoutALoopOfProductsIsRefused) {
  EXPECT_THROW(program({"MOV R1, R2", "EXIT"}), std::runtime_error);
}

}  // namespace
}  // namespace flash_steps
