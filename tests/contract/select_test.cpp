// Which kernels and configs a list chooses, from a registry of its own, with gaps and chapters.
#include "harness/contract/select.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/error.h"

namespace flash_steps {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SelectKernels : public testing::Test {
 protected:
  std::vector<std::string> names(const std::string& list) const {
    std::vector<std::string> result;
    for (const Kernel* kernel : select_kernels(list, kernels_)) result.push_back(kernel->name);
    return result;
  }

  std::string refusal(const std::string& list) const {
    try {
      select_kernels(list, kernels_);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "accepted";
  }

  std::vector<std::string> complaints_;
  std::vector<Kernel> kernels_ = kernels_of(
      {"kernels/01_base.cu", "kernels/02_swizzling.cu", "kernels/03_eager_loads.cu", "kernels/09_late_loads.cu",
       "kernels/beyond/17_lazy.cu", "kernels/primer/p01_plain.cu", "kernels/primer/p03_tiles.cu"},
      complaints_);
};

TEST_F(SelectKernels, ByNameNumberRangeAndAll) {
  EXPECT_THAT(names("02_swizzling"), ElementsAre("02_swizzling"));
  EXPECT_THAT(names("2"), ElementsAre("02_swizzling"));
  EXPECT_THAT(names("02"), ElementsAre("02_swizzling"));
  EXPECT_THAT(names("01-03"), ElementsAre("01_base", "02_swizzling", "03_eager_loads"));
  EXPECT_THAT(names("2-9"), ElementsAre("02_swizzling", "03_eager_loads", "09_late_loads"));
  EXPECT_THAT(names("3-3"), ElementsAre("03_eager_loads"));
  EXPECT_THAT(names("all"), ElementsAre("01_base", "02_swizzling", "03_eager_loads", "09_late_loads"));
}

TEST_F(SelectKernels, ByChapterAndItsPrefix) {
  EXPECT_THAT(names("p03"), ElementsAre("p03_tiles"));
  EXPECT_THAT(names("p1-p3"), ElementsAre("p01_plain", "p03_tiles"));
  EXPECT_THAT(names("17"), ElementsAre("17_lazy"));
  EXPECT_THAT(names("primer,beyond"), ElementsAre("p01_plain", "p03_tiles", "17_lazy"));
  EXPECT_THAT(names("p03-02"), ElementsAre("p03_tiles", "01_base", "02_swizzling")) << "in the order of reading";
  EXPECT_THAT(names("9-17"), ElementsAre("09_late_loads", "17_lazy"));
  EXPECT_THAT(refusal("variants"), HasSubstr("this chapter has no kernels yet"));
}

TEST_F(SelectKernels, ByPatternAndByAPartOfOneName) {
  EXPECT_THAT(names("*_loads"), ElementsAre("03_eager_loads", "09_late_loads"));
  EXPECT_THAT(names("0[12]*"), ElementsAre("01_base", "02_swizzling"));
  EXPECT_THAT(names("02_"), ElementsAre("02_swizzling"));
  EXPECT_THAT(names("03_"), ElementsAre("03_eager_loads")) << "though p03_tiles has it, too";
  EXPECT_THAT(names("swizz"), ElementsAre("02_swizzling"));
  EXPECT_EQ(refusal("loads"),
            "--kernel=loads is a part of several names, 03_eager_loads, 09_late_loads; one of them, or *loads* for all "
            "of them, would work");
  EXPECT_THAT(refusal("*x*x*"), HasSubstr("no kernel's name fits this pattern"));
}

TEST_F(SelectKernels, InTheOrderOfTheListAndEachOnce) {
  EXPECT_THAT(names("09,01-02,1,all"), ElementsAre("09_late_loads", "01_base", "02_swizzling", "03_eager_loads"));
}

TEST_F(SelectKernels, UnknownNamesAreAnsweredWithTheNearestAndWhatThereIs) {
  EXPECT_EQ(refusal("02_swizling"),
            "--kernel=02_swizling: no kernel has this name; the nearest is 02_swizzling; there are p01_plain to "
            "p03_tiles, 01_base to 09_late_loads, 17_lazy");
}

TEST_F(SelectKernels, NumbersThatNoKernelHasAreRefused) {
  for (const char* list : {"0", "4", "99", "0-3", "1-99", "1-4", "p2", "p01-p2"}) {
    EXPECT_THAT(refusal(list), AllOf(HasSubstr(std::string("--kernel=") + list), HasSubstr("01_base to 09_late_loads")))
        << list;
  }
}

TEST_F(SelectKernels, RangesRunForwards) {
  EXPECT_EQ(refusal("3-1"), "--kernel=3-1 runs backwards; 1-3 would work");
  EXPECT_EQ(refusal("1-p1"), "--kernel=1-p1 runs backwards; p1-1 would work");
}

TEST_F(SelectKernels, MalformedListsAreRefused) {
  for (const char* list : {"", "1,", ",1", "1-", "-1", "1-2-3", "1..2", "99999999999"}) {
    EXPECT_NE(refusal(list), "accepted") << list;
  }
}

TEST(SelectConfigs, ByNamesAndPatterns) {
  const std::vector<std::string> configs = {"128x64_c1", "128x64_c2", "64x64"};
  EXPECT_EQ(select_configs("", configs), configs);
  EXPECT_EQ(select_configs("all", configs), configs);
  EXPECT_THAT(select_configs("64x64,128x64_c1", configs), ElementsAre("128x64_c1", "64x64"));
  EXPECT_THAT(select_configs("128*", configs), ElementsAre("128x64_c1", "128x64_c2"));
  EXPECT_THAT(select_configs("32x32", configs), IsEmpty());
}

}  // namespace
}  // namespace flash_steps
