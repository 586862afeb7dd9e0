// Which chapter a page and a file of results belong to.
#include "harness/results/sweeps.h"

#include <gtest/gtest.h>

namespace flash_steps {
namespace {

TEST(ChapterOf, IsThatOfTheFolderOfPagesOrOfResults) {
  EXPECT_EQ(chapter_of("docs/primer/p01_standard.md").name, "primer");
  EXPECT_EQ(chapter_of("/home/x/docs/variants/README.md").name, "variants");
  EXPECT_EQ(chapter_of("docs/results/beyond/h100.json").name, "beyond");
  EXPECT_EQ(chapter_of("docs/results/h100.json").name, sixteen);
  EXPECT_EQ(chapter_of("docs/method/measuring.md").name, sixteen);
}

TEST(ChapterOf, DoesNotDependOnWhereTheProjectLies) {
  EXPECT_EQ(chapter_of("/home/variants/README.md").name, sixteen);
  EXPECT_EQ(chapter_of("/home/variants/docs/01_base.md").name, sixteen);
  EXPECT_EQ(chapter_of("/home/variants/docs/primer/p01_standard.md").name, "primer");
  EXPECT_EQ(chapter_of("/home/primer/h100.json").name, sixteen);
  EXPECT_EQ(chapter_of("docs/method/../primer/p01_standard.md").name, "primer");
}

}  // namespace
}  // namespace flash_steps
