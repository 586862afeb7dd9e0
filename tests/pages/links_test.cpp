// The pages hang together: every link leads to something, and from each step's page one gets to its neighbours.
#include <gmock/gmock.h>

#include <cctype>
#include <regex>
#include <set>

#include "harness/base/text.h"
#include "harness/contract/registry.h"
#include "harness/pages/tables/times/overview.h"
#include "tests/support/pages.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;

// As the web site makes an anchor of a heading: small letters, no punctuation, hyphens for spaces.
std::string anchor_of(const std::string& heading) {
  std::string anchor;
  for (const char c : heading) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || std::isalnum(byte) || c == '-' || c == '_') anchor += static_cast<char>(std::tolower(byte));
    if (c == ' ') anchor += '-';
  }
  return anchor;
}

std::set<std::string> anchors_of(const std::string& page) {
  std::set<std::string> anchors;
  for (const std::string& line : split(without(page, "```", "```"), '\n')) {
    const size_t text = line.find_first_not_of('#');
    if (text > 0 && text < line.size() && line[text] == ' ') anchors.insert(anchor_of(line.substr(text + 1)));
  }
  const std::regex id("<a id=\"([^\"]+)\">");
  for (std::sregex_iterator match(page.begin(), page.end(), id), end; match != end; ++match)
    anchors.insert((*match)[1]);
  return anchors;
}

std::vector<std::string> links_of(const std::string& page) {
  std::vector<std::string> links;
  const std::string text = without(page, "```", "```");
  for (size_t at = 0; (at = text.find("](", at)) != std::string::npos;) {
    at += 2;
    links.push_back(text.substr(at, text.find(')', at) - at));
  }
  return links;
}

TEST(Links, LeadToFilesAndHeadingsThatThereAre) {
  for (const fs::path& page : all_pages()) {
    for (const std::string& link : links_of(content(page))) {
      if (link.find("://") != std::string::npos) continue;
      const size_t hash = link.find('#');
      const std::string file = link.substr(0, hash);
      const fs::path target = file.empty() ? page : page.parent_path() / file;
      EXPECT_TRUE(fs::exists(target)) << page << ": " << link;
      if (hash == std::string::npos) continue;
      EXPECT_THAT(anchors_of(content(target)), Contains(link.substr(hash + 1))) << page << ": " << link;
    }
  }
}

TEST(Links, AnchorsAreThoseOfTheWebSite) {
  EXPECT_EQ(anchor_of("Reproduce the table on your A100 or RTX 3090"), "reproduce-the-table-on-your-a100-or-rtx-3090");
  EXPECT_EQ(anchor_of("What `mma.sync` does, and 07_autotune"), "what-mmasync-does-and-07_autotune");
}

TEST(StepPages, BeginWithTheirIdeaAndLeadToTheirNeighbours) {
  for (const Kernel& kernel : kernels()) {
    const std::string page = content(source_root() / kernel.page_path());
    EXPECT_NE(idea_of(kernel), "") << kernel.name;
    EXPECT_THAT(page, HasSubstr("<!-- navigation -->")) << kernel.name;
  }
}

TEST(StepPages, SayWhatBecameOfTheirPredictionAndAnswerTheirExercises) {
  for (const char* chapter : {"primer", sixteen, "beyond", "variants"}) {
    for (const Kernel* kernel : of_chapter(chapter)) {
      const std::string page = content(source_root() / kernel->page_path());
      EXPECT_THAT(page, HasSubstr("\n## Prediction\n")) << kernel->name;
      EXPECT_THAT(page, HasSubstr("**The prediction")) << kernel->name;
      EXPECT_THAT(page, HasSubstr("\n<details>\n<summary>Answers</summary>\n")) << kernel->name;
    }
  }
}

}  // namespace
}  // namespace flash_steps
