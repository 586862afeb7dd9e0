#include "tests/site/browsed_site.h"

#include <unistd.h>

#include "harness/site/load_tools.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

// The site's files, until the program ends.
class WrittenSite {
 public:
  WrittenSite() : path_(fs::path(testing::TempDir()) / ("flash_steps_site_" + std::to_string(getpid()))) {
    write_site(projects_site().files, path_);
  }
  ~WrittenSite() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  WrittenSite(const WrittenSite&) = delete;
  WrittenSite& operator=(const WrittenSite&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace

const MadeSite& projects_site() {
  static const MadeSite site = make_site(FLASH_STEPS_SOURCE_DIR, kernels());
  return site;
}

void SiteInBrowser::SetUp() {
  if (!has_text_tools()) GTEST_SKIP() << no_text_tools;
  if (const auto why = Browser::missing()) GTEST_SKIP() << *why;
  browser().set_scripts(true);
  browser().set_window(1440, 900, false);
}

Browser& SiteInBrowser::browser() {
  static Browser browser;
  return browser;
}

const fs::path& SiteInBrowser::folder() {
  static const WrittenSite site;
  return site.path();
}

void AnInstrumentInBrowser::open(const std::string& page, const std::string& state) {
  browser().open(address("instruments/" + page) + "#" + state);
}

void AnInstrumentInBrowser::choose(const nlohmann::json& state) {
  browser().evaluate("new Promise((done) => { const parts = Object.entries(" + state.dump() +
                     ").map(([name, value]) => name + '=' + encodeURIComponent(value)).join('&');"
                     "if ('#' + parts === location.hash) return done(0);"
                     "addEventListener('hashchange', () => setTimeout(done, 0), { once: true });"
                     "location.hash = parts; })");
}

std::string AnInstrumentInBrowser::shown(const std::string& selector) {
  return browser().evaluate("document.querySelector(" + nlohmann::json(selector).dump() + ").dataset.value");
}

}  // namespace flash_steps
