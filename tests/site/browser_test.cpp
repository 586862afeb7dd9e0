// The site in a browser: nothing goes wrong on any page, and what can be chosen does what it says.
#include "tests/site/browser.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <iostream>

#include "harness/contract/registry.h"
#include "harness/contract/source.h"
#include "harness/sass/stored_lines.h"
#include "harness/site/book/book.h"
#include "tests/site/browsed_site.h"
#include "tests/support/content.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class InBrowser : public SiteInBrowser {
 protected:
  static std::string text(const std::string& selector) {
    return browser().evaluate("document.querySelector(" + nlohmann::json(selector).dump() + ").textContent");
  }

  // Of each chapter a step that has machine code stored, counters, and a step before it.
  static std::vector<const Kernel*> some_steps() {
    std::vector<const Kernel*> steps;
    for (const Kernel& kernel : kernels()) {
      const bool is_new = steps.empty() || steps.back()->chapter != kernel.chapter;
      if (is_new && step_before(kernel) != nullptr && fs::exists(machine_lines_file(kernel.name))) {
        steps.push_back(&kernel);
      }
    }
    return steps;
  }
  static const Kernel& a_step() { return *some_steps().front(); }
  static std::string page_of(const Kernel& kernel) { return site_file(kernel.page_path()); }
};

TEST_F(InBrowser, EveryPageLoadsOnAPhoneWithoutAnErrorARequestOutsideOrAnythingTooWide) {
  constexpr int width = 390;
  browser().set_window(width, 844, false);
  for (const auto& [name, text] : projects_site().files) {
    if (!name.ends_with(".html")) continue;
    browser().open(address(name));
    EXPECT_THAT(browser().errors(), IsEmpty()) << name;
    EXPECT_THAT(browser().requests(), Each(StartsWith("file://" + folder().string()))) << name;
    EXPECT_LE(browser().evaluate("document.documentElement.scrollWidth").get<int>(), width) << name;
  }
}

TEST_F(InBrowser, AStepIsSoonReadyToUse) {
  double slowest = 0;
  for (const Kernel& kernel : kernels()) {
    browser().open(address(page_of(kernel)));
    ASSERT_TRUE(browser().wait_for("document.documentElement.dataset.ready"));
    slowest = std::max(
        slowest,
        browser().evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd").get<double>());
  }
  // Reported and not asserted: it is this machine's, and says nothing where the machine is busy.
  RecordProperty("slowest_step_ready_ms", std::to_string(slowest));
  std::cout << "the slowest step is ready after " << slowest << " ms\n";
}

TEST_F(InBrowser, WhatIsChosenStandsInTheAddress) {
  browser().open(address(page_of(a_step())));
  EXPECT_EQ(browser().evaluate("document.querySelector('.panel.open').id"), "diff");
  browser().evaluate("document.getElementById('tab-file').click()");
  EXPECT_EQ(browser().evaluate("document.querySelector('.panel.open').id"), "file");
  browser().evaluate("document.querySelector('.listing [data-l=\"12\"] code').click()");
  EXPECT_EQ(browser().evaluate("location.hash"), "#tab=file&line=12");
  EXPECT_THAT(text("#line h2"), HasSubstr("Line 12"));

  browser().open(address(page_of(a_step())) + "#tab=diff&view=split&line=12");
  EXPECT_EQ(browser().evaluate("document.querySelector('.panel.open').id"), "diff");
  EXPECT_EQ(browser().evaluate("document.querySelector('.diff').dataset.view"), "split");
  EXPECT_THAT(text("#line h2"), HasSubstr("Line 12"));
}

TEST_F(InBrowser, ALineOfTheTextScrollsTheKernel) {
  for (const Kernel* kernel : some_steps()) {
    const std::string line = "L" + std::to_string(read_lines(find_source(*kernel).value()).size() - 5);
    browser().open(address(page_of(*kernel)) + "#" + line);
    EXPECT_EQ(browser().evaluate("document.querySelector('.panel.open').id"), "file");
    EXPECT_TRUE(browser().wait_for("(() => { const box = document.getElementById('" + line +
                                   "').getBoundingClientRect(); return box.top > 0 && box.bottom < innerHeight; })()"))
        << kernel->name;
  }
}

TEST_F(InBrowser, ALineShowsItsMachineCodeForEachArchitecture) {
  for (const Kernel* kernel : some_steps()) {
    browser().open(address(page_of(*kernel)));
    // The line whose word is executed most often.
    const std::string line =
        browser().evaluate("Object.entries(facts.lines).sort((a, b) => b[1][0][1] - a[1][0][1])[0][0]");
    const auto archs = browser().evaluate("facts.archs");
    ASSERT_FALSE(archs.empty());
    for (const std::string arch : archs) {
      browser().open(address(page_of(*kernel)) + "#tab=file&line=" + line + "&arch=" + arch);
      ASSERT_TRUE(browser().wait_for("document.querySelector('#line [data-count]')")) << kernel->name << " " << arch;
      EXPECT_GT(browser().evaluate("Number(document.querySelector('#line [data-count]').dataset.count)").get<int>(), 0)
          << kernel->name << ":" << line << " " << arch;
      EXPECT_THAT(browser().errors(), IsEmpty());
    }
    browser().open(address(page_of(*kernel)) + "#tab=machine");
    EXPECT_TRUE(browser().wait_for("document.querySelectorAll('#sass .sass > div').length > 100")) << kernel->name;
  }
}

TEST_F(InBrowser, TheCountersBesideALineAreThoseOfTheEmulator) {
  const Kernel& kernel = a_step();
  browser().open(address(page_of(kernel)) + "#tab=file&counter=wavefronts");
  EXPECT_TRUE(
      browser().evaluate("Object.entries(facts.lines).every(([line, words]) => { const sum = words.reduce((all, word) "
                         "=> all + word[2], 0);"
                         "const cell = document.querySelector('#L' + line + ' b').textContent;"
                         "return cell === (sum === 0 ? '' : shortNumber(sum)); })"));
}

TEST_F(InBrowser, TheSearchFindsPagesAndWords) {
  const auto search = [](const std::string& query) {
    browser().evaluate("(() => { const input = document.getElementById('search'); input.focus(); input.value = '" +
                       query + "'; input.dispatchEvent(new Event('input')); })()");
  };
  for (const std::string& page : {std::string("index.html"), page_of(a_step()), page_of(*some_steps().back())}) {
    browser().open(address(page));
    search("swizzle");
    ASSERT_TRUE(browser().wait_for("document.querySelector('#found a')")) << page;
    const std::string found = "[...document.querySelectorAll('#found a')]";
    EXPECT_TRUE(browser().evaluate(found + ".some((a) => a.href.includes('#swizzle'))")) << page;
    const std::string first = browser().evaluate(found + "[0].href");
    EXPECT_TRUE(fs::exists(first.substr(7, first.find('#') - 7))) << first;
    search("nosuchwordatall");
    EXPECT_THAT(text("#found"), HasSubstr("No page has"));
  }
}

TEST_F(InBrowser, WithoutScriptsAllIsThere) {
  browser().set_scripts(false);
  browser().open(address(page_of(a_step())));
  browser().set_scripts(true);
  for (const char* id : {"diff", "file", "figures"}) {
    EXPECT_TRUE(browser().evaluate("document.getElementById('" + std::string(id) + "').offsetHeight > 100")) << id;
  }
  EXPECT_TRUE(browser().evaluate("document.querySelector('.contents').offsetHeight > 100"));
}

TEST_F(InBrowser, AnAuditOfItsAccessibilityFindsNothingSerious) {
  const fs::path axe = fs::path(FLASH_STEPS_SOURCE_DIR) / "build/tools/axe.min.js";
  if (!fs::exists(axe)) GTEST_SKIP() << "there is no axe-core; scripts/setup.sh --browser installs it";
  const std::string script = content(axe), step = page_of(a_step());
  for (const std::string& page : {std::string("index.html"), step, step + "#tab=file&line=50", step + "#tab=machine",
                                  step + "#tab=figures", std::string("instruments/bank_map.html"),
                                  std::string("instruments/fragments.html"), std::string("instruments/softmax.html"),
                                  std::string("instruments/ladder.html"), std::string("instruments/timeline.html")}) {
    browser().open(address(page));
    if (page.ends_with("machine")) {
      ASSERT_TRUE(browser().wait_for("document.querySelector('#sass .sass')"));
    }
    // Of what is long the beginning: the rest is alike, and takes the audit most of its time.
    browser().evaluate(
        "for (const rest of document.querySelectorAll('.sass > div:nth-child(n+30), .listing > div:nth-child(n+60), "
        ".diff > :nth-child(n+8), .cells tr:nth-child(n+6)')) rest.remove()");
    browser().evaluate(script + "; 0");
    for (const bool dark : {false, true}) {
      browser().set_window(1440, 900, dark);
      const std::string options = dark ? "{ runOnly: ['color-contrast'] }" : "{}";  // the rest is the same
      const auto found = browser().evaluate(
          "axe.run(document, " + options +
          ").then((result) => result.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')"
          ".map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + ' ' + "
          "(n.any[0] ? n.any[0].message : '')).join(' | ')))");
      EXPECT_THAT(found, IsEmpty()) << page << (dark ? " dark" : "") << ": " << found.dump(1);
    }
  }
}

}  // namespace
}  // namespace flash_steps
