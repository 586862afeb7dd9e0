// The site as it is made of the project: complete, small, its links whole, its HTML valid.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <regex>
#include <set>

#include "harness/base/error.h"
#include "harness/base/process.h"
#include "harness/site/book/book.h"
#include "harness/site/load_tools.h"
#include "tests/site/browsed_site.h"
#include "tests/support/content.h"
#include "tests/support/temporary_folder.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

class Site : public InTemporaryFolder {
 protected:
  void SetUp() override {
    if (!has_text_tools()) GTEST_SKIP() << no_text_tools;
    InTemporaryFolder::SetUp();
  }

  static const MadeSite& made() { return projects_site(); }

  static std::vector<std::string> pages() {
    std::vector<std::string> names;
    for (const auto& [name, text] : made().files) {
      if (name.ends_with(".html")) names.push_back(name);
    }
    return names;
  }
};

std::vector<std::string> attributes(const std::string& html, const std::string& name) {
  const std::regex pattern("\\s" + name + "=\"([^\"]*)\"");
  std::vector<std::string> values;
  for (std::sregex_iterator match(html.begin(), html.end(), pattern), end; match != end; ++match) {
    values.push_back((*match)[1].str());
  }
  return values;
}

TEST_F(Site, EveryKernelHasItsPage) {
  for (const Kernel& kernel : kernels()) {
    const std::string name = site_file(kernel.page_path());
    ASSERT_TRUE(made().files.contains(name)) << name;
    EXPECT_THAT(made().files.at(name), HasSubstr("id=\"L1\"")) << name;
  }
}

TEST_F(Site, NoFileIsLargerThanAMegabyte) {
  for (const auto& [name, text] : made().files) EXPECT_LT(text.size(), 1'000'000u) << name;
}

// What a browser would ask for by itself: no address of another place in it.
TEST_F(Site, NothingIsAskedForOutside) {
  const std::regex loaded("<(img|script|link|iframe|source|video|audio|object|embed)[^>]*(src|href)=\"([^\"]*)\"");
  for (const std::string& page : pages()) {
    const std::string& html = made().files.at(page);
    for (std::sregex_iterator match(html.begin(), html.end(), loaded), end; match != end; ++match) {
      const std::string address = (*match)[3].str();
      EXPECT_EQ(address.find("//"), std::string::npos) << page << " " << address;
      EXPECT_FALSE(address.starts_with("/")) << page << " " << address;
      const std::string file = (fs::path(page).parent_path() / address).lexically_normal().generic_string();
      EXPECT_TRUE(made().files.contains(file)) << page << " loads " << address;
    }
  }
}

TEST_F(Site, AllLinksAndAnchorsResolve) {
  std::map<std::string, std::set<std::string>> ids;
  for (const std::string& page : pages()) {
    const std::vector<std::string> found = attributes(made().files.at(page), "id");
    ids[page] = {found.begin(), found.end()};
    EXPECT_EQ(ids[page].size(), found.size()) << page << " has an id twice";
  }
  int links = 0;
  for (const std::string& page : pages()) {
    for (const std::string& address : attributes(made().files.at(page), "href")) {
      if (address.find("://") != std::string::npos) continue;
      const size_t hash = address.find('#');
      const std::string path = address.substr(0, hash);
      const std::string file =
          path.empty() ? page : (fs::path(page).parent_path() / path).lexically_normal().generic_string();
      ASSERT_TRUE(made().files.contains(file)) << page << " links to " << address;
      const std::string anchor = hash == std::string::npos ? "" : address.substr(hash + 1);
      links++;
      if (anchor.empty() || anchor.find('=') != std::string::npos) continue;
      EXPECT_TRUE(ids[file].contains(anchor)) << page << " links to " << address;
    }
  }
  EXPECT_GT(links, 1000);
}

TEST_F(Site, TheHtmlIsValid) {
  if (!run_process({"tidy", "-version"})) GTEST_SKIP() << "there is no tidy; scripts/setup.sh --browser installs it";
  write_site(made().files, folder_ / "site");
  for (const std::string& page : pages()) {
    const auto said =
        run_process({"tidy", "-errors", "-quiet", "-utf8", "--drop-empty-elements", "no", "--mute-id", "yes", "--mute",
                     "MISSING_ATTR_VALUE,PROPRIETARY_ATTRIBUTE", (folder_ / "site" / page).string()});
    EXPECT_THAT(said->errors, IsEmpty()) << page;
  }
}

TEST_F(Site, TheCommandPrintsWhereItBegins) {
  const fs::path site = folder_ / "book";
  const auto outcome = run_process({FLASH_STEPS_RUNNER, "--site=" + site.string()});
  EXPECT_EQ(outcome->exit_code, 0) << outcome->errors;
  EXPECT_EQ(outcome->output, (site / "index.html").string() + "\n");
  EXPECT_TRUE(fs::exists(site / "index.html"));
  EXPECT_EQ(run_process({FLASH_STEPS_RUNNER, "--site=" + site.string()})->exit_code, 0) << "a second time";
}

TEST_F(Site, TheCommandLeavesOtherFoldersAlone) {
  written("thesis.txt", "years of work");
  const auto outcome = run_process({FLASH_STEPS_RUNNER, "--site=" + folder_.string()});
  EXPECT_EQ(outcome->exit_code, 2);
  EXPECT_THAT(outcome->errors, HasSubstr("is left as it is; an empty folder would work"));
  EXPECT_EQ(names().size(), 1u);
  EXPECT_EQ(run_process({FLASH_STEPS_RUNNER, "--site=" + folder_.string(), "--kernel=01"})->exit_code, 2);
  EXPECT_EQ(run_process({FLASH_STEPS_RUNNER, "--site=" + folder_.string(), "--list"})->exit_code, 2);
}

}  // namespace
}  // namespace flash_steps
