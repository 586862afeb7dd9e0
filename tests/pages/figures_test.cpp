// A measured figure in a page's prose is made from a results file, or stands beside the file and the command that made
// it. What follows from counting (so many cycles, so much of peak) may be typed: the page derives it.
#include <gmock/gmock.h>

#include <optional>
#include <regex>
#include <sstream>

#include "harness/base/text.h"
#include "tests/support/pages.h"

namespace flash_steps {
namespace {

using testing::HasSubstr;

bool is_beside_its_source(const std::string& paragraph) {
  static const std::regex file("results/([a-z_]+/)*[a-z0-9_]+\\.json");
  static const std::regex command("`?(\\./runner|scripts/|build/)");
  return std::regex_search(paragraph, file) && std::regex_search(paragraph, command);
}

// What looks measured, if anything does.
std::optional<std::string> figure_in(const std::string& paragraph) {
  static const std::regex measured(
      "[0-9] % of (FlashAttention-2|FA2)|[0-9] (TFLOP/s|MHz|ms\\b)|[0-9]\\.[0-9]+ %(?! of peak)|times as fast|"
      "\\b([0-9.]+|an?|half a|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen) points?\\b(?! "
      "at)");
  std::smatch match;
  return std::regex_search(paragraph, match, measured) ? std::optional(match.str()) : std::nullopt;
}

std::string on_one_line(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return join(words, " ");
}

// A paragraph, an item of a list or a row of a table each.
std::vector<std::string> paragraphs(const std::string& page) {
  static const std::regex begins_anew("^\\s*([*|-]|[0-9]+\\.) ?.*");
  std::vector<std::string> found(1);
  for (const std::string& line : split(typed(page), '\n')) {
    if (trimmed(line).empty() || std::regex_match(line, begins_anew)) found.emplace_back();
    found.back() += line + "\n";
  }
  for (std::string& paragraph : found) paragraph = on_one_line(paragraph);
  return found;
}

std::vector<std::string> complaints(const std::string& page) {
  std::vector<std::string> found;
  bool predicts = false;  // a figure that was written down before it was measured has no file
  for (const std::string& paragraph : paragraphs(page)) {
    if (paragraph.starts_with("## ")) predicts = paragraph.starts_with("## Prediction");
    const auto figure = figure_in(paragraph);
    if (predicts && figure && figure->ends_with("TFLOP/s")) continue;
    if (figure && !is_beside_its_source(paragraph)) found.push_back("'" + *figure + "' in: " + paragraph);
  }
  return found;
}

TEST(FiguresInProse, AreMadeFromResultsOrStandBesideTheirFileAndCommand) {
  for (const auto& page : all_pages()) EXPECT_THAT(complaints(content(page)), testing::IsEmpty()) << page;
}

TEST(FiguresInProse, AreFoundWhereTheyAreTyped) {
  EXPECT_THAT(complaints("It makes 88.8 % of\nFlashAttention-2."), testing::ElementsAre(HasSubstr("88.8 %")));
  EXPECT_THAT(complaints("* fine\n* 303 TFLOP/s\n"), testing::ElementsAre(HasSubstr("3 TFLOP/s")));
  EXPECT_THAT(complaints("the clock was held at 1827\nMHz"), testing::SizeIs(1));
  EXPECT_THAT(complaints("It gains two points."), testing::SizeIs(1));
  EXPECT_THAT(complaints("| c1 | 94.2 % |"), testing::SizeIs(1));
}

TEST(FiguresInProse, MayBeMadeOrDerivedOrHaveTheirSource) {
  EXPECT_THAT(complaints("## Prediction\n\n430 to 500 TFLOP/s\n"), testing::IsEmpty());
  EXPECT_THAT(complaints("## Prediction\n\ntext\n\n## Measurement\n\n430 TFLOP/s\n"), testing::SizeIs(1));
  EXPECT_THAT(complaints("It is <!-- percent 09 4096 -->108.3 %<!-- /percent --> of FlashAttention-2."),
              testing::IsEmpty());
  EXPECT_THAT(complaints("<!-- h100 -->\n| 09 | 108.3 % |\n<!-- /h100 -->\n"), testing::IsEmpty());
  EXPECT_THAT(complaints("1024 / 8448 = 12.1 % of peak, and lanes 0–15 point at rows"), testing::IsEmpty());
  EXPECT_THAT(complaints("88.8 %, in [results/x.json](results/x.json), made by `./runner --kernel=03`"),
              testing::IsEmpty());
  EXPECT_THAT(complaints("88.8 %, in [x.json](../results/beyond/x.json), made by `./runner --kernel=25`"),
              testing::IsEmpty());
}

}  // namespace
}  // namespace flash_steps
