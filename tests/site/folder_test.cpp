// The folder that a site is written into.
#include "harness/site/folder.h"

#include <gmock/gmock.h>

#include "harness/base/error.h"
#include "tests/support/content.h"
#include "tests/support/temporary_folder.h"

namespace flash_steps {
namespace {

using testing::ElementsAre;

using SiteFolder = InTemporaryFolder;

TEST_F(SiteFolder, AFolderWithOtherFilesIsLeftAsItIs) {
  written("thesis.txt", "years of work");
  EXPECT_THROW(write_site({{"index.html", "x"}}, folder_), UsageError);
  EXPECT_THAT(names(), ElementsAre("thesis.txt"));
  EXPECT_THROW(write_site({{"index.html", "x"}}, folder_ / "thesis.txt"), UsageError);
  EXPECT_EQ(content(folder_ / "thesis.txt"), "years of work");
}

TEST_F(SiteFolder, ASiteIsMadeAnewAndWhatItNoLongerHasIsGone) {
  write_site({{"index.html", "one"}, {"method/a.html", "a"}}, folder_);
  written("notes.txt", "put here by hand");
  write_site({{"index.html", "two"}}, folder_);
  EXPECT_EQ(content(folder_ / "index.html"), "two");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "method" / "a.html"));
  EXPECT_EQ(content(folder_ / "notes.txt"), "put here by hand");
}

TEST_F(SiteFolder, AListThatLeadsOutOfTheFolderRemovesNothing) {
  const auto outside = written("outside.txt", "stays");
  write_site({{"index.html", "one"}}, folder_ / "site");
  std::ofstream(folder_ / "site" / ".flash-steps-site") << "../outside.txt\n" << outside.string() << "\nindex.html\n";
  write_site({{"index.html", "two"}}, folder_ / "site");
  EXPECT_EQ(content(outside), "stays");
}

}  // namespace
}  // namespace flash_steps
