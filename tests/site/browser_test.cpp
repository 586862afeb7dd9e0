// The site in a browser: nothing goes wrong on any page, and what can be chosen does what it says.
#include "tests/support/browser.h"

#include <gmock/gmock.h>

#include <chrono>
#include <cstdlib>
#include <iostream>

#include "harness/contract/registry.h"
#include "harness/site/book.h"
#include "harness/site/load_tools.h"
#include "harness/site/site.h"
#include "tests/support/content.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// One site and one browser for all tests.
class InBrowser : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!has_text_tools() || Browser::missing()) return;
    folder_ = fs::path(testing::TempDir()) / "flash_steps_site_in_browser";
    fs::remove_all(folder_);
    site_ = new MadeSite(make_site(FLASH_STEPS_SOURCE_DIR, kernels()));
    write_site(site_->files, folder_);
    browser_ = new Browser;
  }
  static void TearDownTestSuite() {
    delete browser_;
    delete site_;
    browser_ = nullptr;
    fs::remove_all(folder_);
  }
  void SetUp() override {
    if (!has_text_tools()) GTEST_SKIP() << "this build has no md4c and source-highlight; scripts/setup.sh --site";
    if (const auto why = Browser::missing()) GTEST_SKIP() << *why;
    browser_->set_scripts(true);
    browser_->set_window(1440, 900, false);
  }

  static std::string address(const std::string& page) { return "file://" + (folder_ / page).string(); }

  static std::string text(const std::string& selector) {
    return browser_->evaluate("document.querySelector(" + nlohmann::json(selector).dump() + ").textContent");
  }

  // A step that has machine code stored, counters, and a step before it.
  static const Kernel& a_step() {
    for (const Kernel& kernel : kernels()) {
      if (step_before(kernel) != nullptr &&
          fs::exists(fs::path(FLASH_STEPS_SOURCE_DIR) / "docs/results/lines" / (kernel.name + ".json"))) {
        return kernel;
      }
    }
    return kernels().back();
  }
  static std::string page_of(const Kernel& kernel) { return site_file(kernel.page_path()); }

  static fs::path folder_;
  static MadeSite* site_;
  static Browser* browser_;
};
fs::path InBrowser::folder_;
MadeSite* InBrowser::site_ = nullptr;
Browser* InBrowser::browser_ = nullptr;

TEST_F(InBrowser, EveryPageLoadsWithoutAnErrorAndWithoutARequestOutside) {
  for (const auto& [name, text] : site_->files) {
    if (!name.ends_with(".html")) continue;
    browser_->open(address(name));
    EXPECT_THAT(browser_->errors(), IsEmpty()) << name;
    EXPECT_THAT(browser_->requests(), Each(StartsWith("file://" + folder_.string()))) << name;
  }
}

TEST_F(InBrowser, AStepIsSoonReadyToUse) {
  double slowest = 0;
  for (const Kernel& kernel : kernels()) {
    browser_->open(address(page_of(kernel)));
    ASSERT_TRUE(browser_->wait_for("document.documentElement.dataset.ready"));
    slowest = std::max(
        slowest,
        browser_->evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd").get<double>());
  }
  // Reported and not asserted: it is this machine's, and says nothing where the machine is busy.
  RecordProperty("slowest_step_ready_ms", std::to_string(slowest));
  std::cout << "the slowest step is ready after " << slowest << " ms\n";
}

TEST_F(InBrowser, WhatIsChosenStandsInTheAddress) {
  browser_->open(address(page_of(a_step())));
  EXPECT_EQ(browser_->evaluate("document.querySelector('.panel.open').id"), "diff");
  browser_->evaluate("document.getElementById('tab-file').click()");
  EXPECT_EQ(browser_->evaluate("document.querySelector('.panel.open').id"), "file");
  browser_->evaluate("document.querySelector('.listing [data-l=\"12\"] code').click()");
  EXPECT_EQ(browser_->evaluate("location.hash"), "#tab=file&line=12");
  EXPECT_THAT(text("#line h2"), HasSubstr("Line 12"));

  browser_->open(address(page_of(a_step())) + "#tab=diff&view=split&line=12");
  EXPECT_EQ(browser_->evaluate("document.querySelector('.panel.open').id"), "diff");
  EXPECT_EQ(browser_->evaluate("document.querySelector('.diff').dataset.view"), "split");
  EXPECT_THAT(text("#line h2"), HasSubstr("Line 12"));
}

TEST_F(InBrowser, ALineOfTheTextScrollsTheKernel) {
  browser_->open(address(page_of(a_step())) + "#L100");
  EXPECT_EQ(browser_->evaluate("document.querySelector('.panel.open').id"), "file");
  EXPECT_TRUE(
      browser_->wait_for("(() => { const box = document.getElementById('L100').getBoundingClientRect();"
                         "return box.top > 0 && box.bottom < innerHeight; })()"));
}

TEST_F(InBrowser, ALineShowsItsMachineCodeForEachArchitecture) {
  const Kernel& kernel = a_step();
  browser_->open(address(page_of(kernel)));
  const auto archs = browser_->evaluate("JSON.parse(document.getElementById('facts').textContent).archs");
  if (archs.empty()) GTEST_SKIP() << "no machine code by line is stored";
  // The line whose word is executed most often.
  const std::string line =
      browser_->evaluate("Object.entries(facts.lines).sort((a, b) => b[1][0][1] - a[1][0][1])[0][0]");
  for (const std::string arch : archs) {
    browser_->open(address(page_of(kernel)) + "#tab=file&line=" + line + "&arch=" + arch);
    ASSERT_TRUE(browser_->wait_for("document.querySelector('#line [data-count]')")) << arch;
    EXPECT_GT(browser_->evaluate("Number(document.querySelector('#line [data-count]').dataset.count)").get<int>(), 0);
    EXPECT_THAT(browser_->errors(), IsEmpty());
  }
  browser_->open(address(page_of(kernel)) + "#tab=machine");
  EXPECT_TRUE(browser_->wait_for("document.querySelectorAll('#sass .sass > div').length > 500"));
}

TEST_F(InBrowser, TheCountersBesideALineAreThoseOfTheEmulator) {
  const Kernel& kernel = a_step();
  browser_->open(address(page_of(kernel)) + "#tab=file&counter=wavefronts");
  EXPECT_TRUE(
      browser_->evaluate("Object.entries(facts.lines).every(([line, words]) => { const sum = words.reduce((all, word) "
                         "=> all + word[2], 0);"
                         "const cell = document.querySelector('#L' + line + ' b').textContent;"
                         "return cell === (sum === 0 ? '' : shortNumber(sum)); })"));
}

TEST_F(InBrowser, TheSearchFindsPagesAndWords) {
  browser_->open(address("index.html"));
  browser_->evaluate(
      "(() => { const input = document.getElementById('search'); input.focus(); input.value = 'swizzle';"
      "input.dispatchEvent(new Event('input')); })()");
  ASSERT_TRUE(browser_->wait_for("document.querySelector('#found a')"));
  EXPECT_TRUE(
      browser_->evaluate("[...document.querySelectorAll('#found a')].some((a) => a.href.includes('#swizzle'))"));
  browser_->evaluate(
      "(() => { const input = document.getElementById('search'); input.value = 'nosuchwordatall';"
      "input.dispatchEvent(new Event('input')); })()");
  EXPECT_THAT(text("#found"), HasSubstr("No page has"));
}

TEST_F(InBrowser, WithoutScriptsAllIsThere) {
  browser_->set_scripts(false);
  browser_->open(address(page_of(a_step())));
  browser_->set_scripts(true);
  for (const char* id : {"diff", "file", "figures"}) {
    EXPECT_TRUE(browser_->evaluate("document.getElementById('" + std::string(id) + "').offsetHeight > 100")) << id;
  }
  EXPECT_TRUE(browser_->evaluate("document.querySelector('.contents').offsetHeight > 100"));
}

TEST_F(InBrowser, NothingIsWiderThanAPhone) {
  for (const auto& [name, text] : site_->files) {
    if (!name.ends_with(".html")) continue;
    browser_->set_window(390, 844, false);
    browser_->open(address(name));
    EXPECT_LE(browser_->evaluate("document.documentElement.scrollWidth").get<int>(), 390) << name;
  }
}

TEST_F(InBrowser, AnAuditOfItsAccessibilityFindsNothingSerious) {
  const fs::path axe = fs::path(FLASH_STEPS_SOURCE_DIR) / "build/tools/axe.min.js";
  if (!fs::exists(axe)) GTEST_SKIP() << "there is no axe-core; scripts/setup.sh --browser installs it";
  const std::string script = content(axe);
  for (const std::string& page : {std::string("index.html"), page_of(a_step()), page_of(a_step()) + "#tab=file&line=50",
                                  page_of(a_step()) + "#tab=machine", page_of(a_step()) + "#tab=figures",
                                  std::string("instruments/bank_map.html"), std::string("instruments/fragments.html"),
                                  std::string("instruments/softmax.html"), std::string("instruments/ladder.html")}) {
    for (const bool dark : {false, true}) {
      browser_->set_window(1440, 900, dark);
      browser_->open(address(page));
      browser_->evaluate(script + "; 0");
      const auto found = browser_->evaluate(
          "axe.run({ exclude: [['.sass > div:nth-child(n+30)'], ['.listing > div:nth-child(n+150)']] }).then((result) "
          "=> result.violations.filter((v) => v.impact === 'serious' || v.impact === "
          "'critical')"
          ".map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + ' ' + "
          "(n.any[0] ? n.any[0].message : '')).join(' | ')))");
      EXPECT_THAT(found, IsEmpty()) << page << (dark ? " dark" : "") << ": " << found.dump(1);
    }
  }
}

}  // namespace
}  // namespace flash_steps
