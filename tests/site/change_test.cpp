// The change that a step made, as its page shows it.
#include "harness/site/step/change.h"

#include <gmock/gmock.h>

#include "harness/contract/source.h"
#include "harness/site/load_tools.h"
#include "harness/site/step/facts.h"
#include "tests/site/browsed_site.h"

namespace flash_steps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Change : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_text_tools()) GTEST_SKIP() << no_text_tools;
  }
};

TEST_F(Change, LinesThatAreAlikeStandBesideEachOther) {
  const auto pairs = pair_lines({"same", "int rows = tile_rows / 4;", "gone for good"},
                                {"same", "something else entirely", "int rows = tile_rows / warps;"}, text_tools());
  std::vector<std::pair<int, int>> places;
  for (const LinePair& pair : pairs) places.emplace_back(pair.before, pair.after);
  EXPECT_THAT(places, ElementsAre(testing::Pair(1, 1), testing::Pair(0, 2), testing::Pair(2, 3), testing::Pair(3, 0)));
}

TEST_F(Change, TheWordsThatDifferAreMarked) {
  const ChangedWords words = changed_words("a = load(q, 4);", "a = load(k, 4);", text_tools());
  EXPECT_THAT(words.removed, ElementsAre(testing::Pair(9u, 10u)));
  EXPECT_THAT(words.added, ElementsAre(testing::Pair(9u, 10u)));
}

// Each side, put together again from what the page shows, is the file.
TEST_F(Change, NothingOfTheFilesIsLost) {
  for (const Kernel& kernel : kernels()) {
    const Kernel* before = step_before(kernel);
    if (before == nullptr) continue;
    const auto old_lines = read_lines(find_source(*before).value()),
               new_lines = read_lines(find_source(kernel).value());
    size_t next_old = 1, next_new = 1;
    for (const LinePair& pair : pair_lines(old_lines, new_lines, text_tools())) {
      if (pair.before != 0) {
        EXPECT_EQ(pair.before, static_cast<int>(next_old++)) << kernel.name;
      }
      if (pair.after != 0) {
        EXPECT_EQ(pair.after, static_cast<int>(next_new++)) << kernel.name;
      }
      if (pair.same) {
        EXPECT_EQ(old_lines[pair.before - 1], new_lines[pair.after - 1]) << kernel.name;
      }
    }
    EXPECT_EQ(next_old, old_lines.size() + 1) << kernel.name;
    EXPECT_EQ(next_new, new_lines.size() + 1) << kernel.name;
  }
}

TEST_F(Change, LongUnchangedPartsAreFolded) {
  std::vector<std::string> before(30, "the same line"), after = before;
  after[15] = "another line here";
  EXPECT_THAT(render_change(before, after, text_tools()), HasSubstr("<summary>12 unchanged lines</summary>"));
}

TEST_F(Change, LinesOfAnEarlierTextAreFoundInTodays) {
  EXPECT_THAT(lines_today({"a", "b", "c"}, {"// new", "a", "x", "c"}, text_tools()), ElementsAre(0, 2, 0, 4));
}

}  // namespace
}  // namespace flash_steps
