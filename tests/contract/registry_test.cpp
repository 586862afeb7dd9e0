// Kernels by their files: chapters, the step before, and files that are no kernels.
#include "harness/contract/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/error.h"
#include "harness/contract/module.h"

namespace flash_steps {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> names_of(const std::vector<Kernel>& kernels) {
  std::vector<std::string> names;
  for (const Kernel& kernel : kernels) names.push_back(kernel.name);
  return names;
}

class Registry : public testing::Test {
 protected:
  std::vector<std::string> complaints_;
};

TEST_F(Registry, KernelsStandInTheOrderOfReading) {
  const std::vector<Kernel> kernels =
      kernels_of({"kernels/variants/v01_any.cu", "kernels/beyond/17_lazy.cu", "kernels/02_b.cu", "kernels/01_a.cu",
                  "kernels/primer/p10_x.cu", "kernels/primer/p02_y.cu"},
                 complaints_);
  EXPECT_THAT(names_of(kernels), ElementsAre("p02_y", "p10_x", "01_a", "02_b", "17_lazy", "v01_any"));
  EXPECT_THAT(complaints_, IsEmpty());
  EXPECT_EQ(kernels[0].label(), "p02");
  EXPECT_EQ(kernels[0].source_path(), "kernels/primer/p02_y.cu");
  EXPECT_EQ(kernels[0].page_path(), "docs/primer/p02_y.md");
  EXPECT_EQ(kernels[2].page_path(), "docs/01_a.md");
}

TEST_F(Registry, TheStepBeforeLeadsThroughTheChapters) {
  const std::vector<Kernel> kernels =
      kernels_of({"kernels/primer/p01_a.cu", "kernels/primer/p02_b.cu", "kernels/01_c.cu", "kernels/03_d.cu",
                  "kernels/beyond/17_e.cu", "kernels/variants/v01_f.cu"},
                 complaints_);
  const auto before = [&](const std::string& name) {
    const Kernel* kernel = step_before(*find_kernel(name, kernels), kernels);
    return kernel == nullptr ? std::string("none") : kernel->name;
  };
  EXPECT_EQ(before("p01_a"), "none");
  EXPECT_EQ(before("p02_b"), "p01_a");
  EXPECT_EQ(before("01_c"), "p02_b");
  EXPECT_EQ(before("03_d"), "01_c");
  EXPECT_EQ(before("17_e"), "03_d");
  EXPECT_EQ(before("v01_f"), "03_d");
}

TEST_F(Registry, WithoutAPrimerTheFirstStepHasNoneBeforeIt) {
  const std::vector<Kernel> kernels = kernels_of({"kernels/01_c.cu"}, complaints_);
  EXPECT_EQ(step_before(kernels[0], kernels), nullptr);
}

TEST_F(Registry, FilesThatAreNoKernelsAreLeftOutAndSaid) {
  const std::vector<Kernel> kernels =
      kernels_of({"kernels/12_block_indexing.cu", "kernels/12_other.cu", "kernels/mine.cu", "kernels/primer/01_x.cu",
                  "kernels/elsewhere/01_y.cu"},
                 complaints_);
  EXPECT_THAT(names_of(kernels), ElementsAre("12_block_indexing"));
  EXPECT_THAT(
      complaints_,
      ElementsAre("kernels/12_other.cu is left out: 12_block_indexing has the number 12 already; another number "
                  "would work",
                  "kernels/mine.cu is left out: mine is not a kernel's name; 01_mine would work",
                  "kernels/primer/01_x.cu is left out: 01_x is not a kernel's name; p01_01_x would work",
                  HasSubstr("kernels/elsewhere/01_y.cu is left out: its folder is none of a chapter")));
}

TEST_F(Registry, OnlyAFolderOfKernelsIsAChapters) {
  const std::vector<Kernel> kernels =
      kernels_of({"/home/variants/kernels/01_a.cu", "/home/variants/kernels/beyond/17_b.cu",
                  "/home/variants/kernels/primer/old/p01_c.cu", "/home/variants/kernels/old/primer/p01_c.cu"},
                 complaints_);
  EXPECT_THAT(names_of(kernels), ElementsAre("01_a", "17_b"));
  EXPECT_THAT(complaints_, ElementsAre(HasSubstr("primer/old/p01_c.cu is left out: its folder is none of a chapter"),
                                       HasSubstr("old/primer/p01_c.cu is left out: its folder is none of a chapter")));
}

TEST_F(Registry, AKernelThatIsNotBuiltSaysSoWhenItIsAsked) {
  const std::vector<Kernel> kernels = kernels_of({"kernels/99_not_there.cu"}, complaints_);
  const auto said = [&](Target target) -> std::string {
    try {
      kernels[0].variants(target);
    } catch (const MachineError& error) {
      return error.what();
    }
    return "built";
  };
  EXPECT_THAT(said(Target::emulator),
              AllOf(HasSubstr("99_not_there is not built"), HasSubstr("./runner --kernel=99_not_there builds it")));
  EXPECT_THAT(said(Target::gpu), AllOf(HasSubstr("99_not_there for the GPU is not built"),
                                       HasSubstr("scripts/build.sh"), HasSubstr("builds it")));
}

TEST_F(Registry, EveryKernelFileOfTheBuildIsAKernel) { EXPECT_THAT(registry_complaints(), IsEmpty()); }

TEST_F(Registry, EveryVariantKnowsItsKernel) {
  for (const Kernel& kernel : kernels()) {
    for (const Variant& variant : kernel.emulator()) EXPECT_EQ(variant.kernel, kernel.name);
  }
}

}  // namespace
}  // namespace flash_steps
