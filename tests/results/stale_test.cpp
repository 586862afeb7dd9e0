// Which results are stale, and why.
#include "harness/results/stale.h"

#include <gmock/gmock.h>

#include "harness/contract/registry.h"
#include "harness/results/freshness.h"
#include "tests/support/temporary_folder.h"

namespace flash_steps {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Stale : public InTemporaryFolder {
 protected:
  // The reasons for a file with this "dirty" and these rows.
  std::vector<std::string> reasons(const std::string& dirty, const std::string& rows) const {
    written("x.json", R"({"schema": "flash-steps/results/2", "meta": {"argv": ["build/runner", "--list"], "git": "abc",
                          "dirty": )" +
                          dirty + R"(}, "runs": [)" + rows + "]}");
    const std::vector<StaleFile> stale = stale_files(folder_);
    return stale.empty() ? std::vector<std::string>() : stale.front().reasons;
  }

  static std::string row(const Kernel& kernel, const std::string& code) {
    return R"({"kernel": ")" + kernel.name + R"(", "code": ")" + code + R"("})";
  }

  const Kernel& first_ = kernels()[0];
  const Kernel& second_ = kernels()[1];
};

TEST_F(Stale, WhatIsOfTodaysCodeAndACommitIsNot) {
  EXPECT_THAT(reasons("false", row(first_, code_hash(first_)) + "," + row(second_, code_hash(second_))), IsEmpty());
}

TEST_F(Stale, OtherCodeIsNamedWithItsKernel) {
  EXPECT_THAT(reasons("false", row(first_, code_hash(first_)) + "," + row(second_, "0123")),
              ElementsAre("the code has changed since: " + second_.name));
  EXPECT_THAT(reasons("false", row(first_, "0123") + "," + row(second_, "0123")),
              ElementsAre("the code has changed since: all 2 kernels"));
  EXPECT_THAT(reasons("false", row(first_, "0123") + "," + row(first_, code_hash(first_))),
              ElementsAre("the code has changed since: " + first_.name));
}

TEST_F(Stale, OtherCodeIsToldFromADoubtfulCommit) {
  reasons("true", row(first_, code_hash(first_)));
  EXPECT_TRUE(stale_files(folder_)[0].is_of_todays_code);
  reasons("true", row(first_, "0123"));
  EXPECT_FALSE(stale_files(folder_)[0].is_of_todays_code);
}

TEST_F(Stale, ATreeWithChangesIsSaid) {
  const std::string fresh = row(first_, code_hash(first_));
  EXPECT_THAT(reasons("true", fresh), ElementsAre("the tree had changes that are in no commit"));
  EXPECT_THAT(reasons("null", fresh), ElementsAre("the tree had changes that are in no commit"));
}

TEST_F(Stale, WhatTheFileDoesNotSayIsSaid) {
  EXPECT_THAT(reasons("false", R"({"kernel": ")" + first_.name + R"("})"),
              ElementsAre("it does not say of which code it is: " + first_.name));
  EXPECT_THAT(reasons("false", R"({"kernel": "99_gone", "code": "0123"})"),
              ElementsAre("there is no such kernel any more: 99_gone"));
}

TEST_F(Stale, TheCodeMayStandBesideTheRows) {
  written("x.json", R"({"schema": "flash-steps/counter-comparison/2", "code": {")" + first_.name + R"(": ")" +
                        code_hash(first_) + R"("}, "comparisons": [{"kernel": ")" + first_.name + R"("}]})");
  const std::vector<StaleFile> stale = stale_files(folder_);
  ASSERT_EQ(stale.size(), 1u);
  EXPECT_THAT(stale[0].reasons, ElementsAre("it does not say of which commit it is"));
  EXPECT_EQ(stale[0].command, "");
}

TEST_F(Stale, TheCommandIsAsItWasTyped) {
  reasons("true", row(first_, code_hash(first_)));
  EXPECT_EQ(stale_files(folder_)[0].command, "./runner --list");
}

TEST_F(Stale, OtherFilesArePassedOver) {
  written("published.json", R"({"schema": "flash-steps/published/1", "columns": []})");
  written("other.json", R"({"kernel": "01_base"})");
  written("page.md", "no JSON");
  EXPECT_THAT(stale_files(folder_), IsEmpty());
}

TEST(CodeHash, CommentsAndBlanksDoNotCount) {
  EXPECT_EQ(code_hash("int a = 1;  // one\n"), code_hash("int a=1;"));
  EXPECT_NE(code_hash("int a = 1;"), code_hash("int a = 2;"));
  EXPECT_NE(code_hash("\"a b\""), code_hash("\"ab\""));
  EXPECT_NE(code_hash("a b"), code_hash("ab"));
  EXPECT_EQ(code_hash("a /* // */ + b"), code_hash("a + b"));
}

}  // namespace
}  // namespace flash_steps
