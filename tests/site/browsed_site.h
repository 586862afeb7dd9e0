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

}  // namespace flash_steps
