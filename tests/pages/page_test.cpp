// What a page's markers mean: between lines, and within one.
#include "harness/pages/page.h"

#include <gmock/gmock.h>

#include "harness/base/error.h"

namespace flash_steps {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string made(const std::string& text) {
  return with_blocks(text, "page.md",
                     {{"table", [](const auto&) { return "| made |\n"; }},
                      {"figure", [](const auto& words) { return "42 " + words.at(0); }, true, true}});
}

std::string refusal_of(const std::string& text) {
  try {
    made(text);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "(it was made)";
}

TEST(PageBlocks, OfLinesAreMadeAnewBetweenTheirMarkers) {
  EXPECT_EQ(made("a\n<!-- table -->\nold\n<!-- /table -->\nb"), "a\n<!-- table -->\n| made |\n<!-- /table -->\nb");
}

TEST(PageBlocks, WithinALineAreMadeAnewAsOftenAsTheyStandThere) {
  EXPECT_EQ(made("| <!-- figure x -->1<!-- /figure -->, <!-- figure y --><!-- /figure --> |"),
            "| <!-- figure x -->42 x<!-- /figure -->, <!-- figure y -->42 y<!-- /figure --> |");
}

TEST(PageBlocks, BothStandOnOnePage) {
  EXPECT_EQ(made("<!-- table -->\n<!-- /table -->\nsee <!-- figure x --><!-- /figure -->\n"),
            "<!-- table -->\n| made |\n<!-- /table -->\nsee <!-- figure x -->42 x<!-- /figure -->\n");
}

TEST(PageBlocks, AnEndThatIsMissingIsNamed) {
  EXPECT_THAT(refusal_of("see <!-- figure x -->42\n<!-- /figure -->"),
              AllOf(HasSubstr("page.md"), HasSubstr("no <!-- /figure --> follows <!-- figure x --> on its line")));
}

TEST(PageBlocks, AMarkerThatNamesNoBlockIsNamedWithTheNearest) {
  EXPECT_THAT(refusal_of("<!-- tabel -->\n<!-- /tabel -->"), HasSubstr("the nearest is <!-- table -->"));
}

TEST(PageBlocks, ACommentWithinALineThatNamesNoneStays) {
  const std::string line = "x <!-- a comment --> y <!-- figure z -->42 z<!-- /figure -->";
  EXPECT_EQ(made(line), line);
}

TEST(PageBlocks, ArePlacesToLookForInAPage) {
  EXPECT_TRUE(has_blocks("a\n<!-- table -->\n"));
  EXPECT_TRUE(has_blocks("a <!-- figure x -->1<!-- /figure -->"));
  EXPECT_FALSE(has_blocks("a <!-- a comment -->"));
}

}  // namespace
}  // namespace flash_steps
