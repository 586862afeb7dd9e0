// The project's site, made once for all tests of a program, and the browser that they look at it in.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "harness/site/site.h"
#include "tests/site/browser.h"

namespace flash_steps {

/// What a test that needs it says where it cannot be made.
inline constexpr const char* no_text_tools = "this build has no md4c, source-highlight or dtl; scripts/setup.sh --site";

/// Needs has_text_tools().
const MadeSite& projects_site();

/// A test that looks at the site; skipped where it cannot be made, and where there is no browser.
class SiteInBrowser : public testing::Test {
 protected:
  void SetUp() override;

  static Browser& browser();
  /// Where the site lies.
  static const std::filesystem::path& folder();
  /// For Browser::open().
  static std::string address(const std::string& page) { return "file://" + (folder() / page).string(); }
};

/// A test of an instrument. Its choices stand in the address.
class AnInstrumentInBrowser : public SiteInBrowser {
 protected:
  static void open(const std::string& page, const std::string& state);
  /// Chooses another state of the page that is open.
  static void choose(const nlohmann::json& state);
  /// What the element shows: its data-value.
  static std::string shown(const std::string& selector);
};

}  // namespace flash_steps
