// Numbers, widths and words.
#include "harness/base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flash_steps {
namespace {

TEST(Text, NumbersAreGroupedByThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
}

TEST(Text, ACutDoesNotSplitACharacter) {
  EXPECT_EQ(shortened("Q·Kᵀ / √d", 9), "Q·Kᵀ / √d");
  EXPECT_EQ(shortened("Q·Kᵀ / √d", 8), "Q·Kᵀ ...");
  EXPECT_EQ(pad_left("√", 3), "  √");
}

TEST(Text, TheNearestTakesTheFewestEdits) {
  EXPECT_EQ(nearest("02_swizling", {"01_base", "02_swizzling", "03_eager_loads"}), "02_swizzling");
  EXPECT_EQ(nearest("--bach", {"--batch", "--heads"}), "--batch");
  EXPECT_EQ(nearest("x", {}), "");
}

TEST(Text, SplittingKeepsEmptyParts) {
  EXPECT_THAT(split("a,,b", ','), testing::ElementsAre("a", "", "b"));
  EXPECT_THAT(split("", ','), testing::ElementsAre(""));
}

TEST(Text, IsWrappedBetweenWordsWithAHangingIndent) {
  EXPECT_EQ(wrapped("one two three", 20), "one two three");
  EXPECT_EQ(wrapped("one two three", 7), "one two\nthree");
  EXPECT_EQ(wrapped("  a: one two three", 10, 5), "  a: one\n     two\n     three");
  EXPECT_EQ(wrapped("a_word_that_is_longer x", 5), "a_word_that_is_longer\nx");
  EXPECT_EQ(wrapped("", 5), "");
}

TEST(Text, ControlCharactersAreShownAndNotObeyed) {
  EXPECT_EQ(printable("a\033[31m\a b\tc\n"), "a\\x1b[31m\\x07 b\tc\n");
  EXPECT_EQ(printable("Kᵀ"), "Kᵀ");
}

TEST(Text, BytesAreReadable) {
  EXPECT_EQ(readable_bytes(512), "512 bytes");
  EXPECT_EQ(readable_bytes(49152), "48.0 KiB");
  EXPECT_EQ(readable_bytes(84.9e9), "79.1 GiB");
}

}  // namespace
}  // namespace flash_steps
