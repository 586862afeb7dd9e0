// Files: whole or not at all, and what is no plain file stays what it is.
#include "harness/base/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <thread>

#include "tests/support/content.h"
#include "tests/support/temporary_folder.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class File : public InTemporaryFolder {
 protected:
  static mode_t mode_of(const fs::path& file) {
    struct stat status = {};
    EXPECT_EQ(stat(file.c_str(), &status), 0);
    return status.st_mode & 07777;
  }

  // What write_file says, or "accepted"; check_writable must say the same.
  static std::string refusal_to_write(const fs::path& file) {
    const auto said = [](const auto& action) -> std::string {
      try {
        action();
      } catch (const std::runtime_error& error) {
        return error.what();
      }
      return "accepted";
    };
    const std::string checked = said([&] { check_writable(file); });
    EXPECT_EQ(said([&] { write_file("new", file); }), checked);
    return checked;
  }

  static std::string refusal_to_read(const fs::path& file) {
    try {
      read_file(file);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "accepted";
  }
};

TEST_F(File, IsReplacedAsAWholeAndNothingElseIsLeft) {
  const fs::path file = written("a", "old");
  write_file("new", file);
  EXPECT_EQ(content(file), "new");
  EXPECT_THAT(names(), ElementsAre("a"));
}

TEST_F(File, KeepsItsMode) {
  const fs::path file = written("a", "old");
  for (const mode_t mode : {0600, 0664, 0755}) {
    ASSERT_EQ(chmod(file.c_str(), mode), 0);
    write_file("new", file);
    EXPECT_EQ(mode_of(file), mode);
  }
}

TEST_F(File, ThatIsALinkStaysOne) {
  const fs::path file = written("a", "old");
  fs::create_directory(folder_ / "links");
  fs::create_symlink("../a", folder_ / "links" / "near");
  fs::create_symlink(folder_ / "links" / "near", folder_ / "far");
  write_file("new", folder_ / "far");
  EXPECT_EQ(content(file), "new");
  EXPECT_TRUE(fs::is_symlink(folder_ / "far"));
  EXPECT_TRUE(fs::is_symlink(folder_ / "links" / "near"));
}

TEST_F(File, IsMadeWhereALinkPoints) {
  fs::create_symlink("not_yet", folder_ / "link");
  write_file("new", folder_ / "link");
  EXPECT_EQ(content(folder_ / "not_yet"), "new");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
}

TEST_F(File, LinksInACircleAreRefused) {
  fs::create_symlink("b", folder_ / "a");
  fs::create_symlink("a", folder_ / "b");
  EXPECT_THAT(refusal_to_write(folder_ / "a"), HasSubstr("leads round in a circle"));
}

TEST_F(File, ADeviceIsWrittenAndStaysADevice) {
  // One like /dev/null, for a mistake must not cost the machine its own.
  const fs::path device = folder_ / "null";
  if (mknod(device.c_str(), S_IFCHR | 0666, makedev(1, 3)) != 0) GTEST_SKIP() << "only root makes devices";
  const int opened = open(device.c_str(), O_WRONLY);
  if (opened < 0) GTEST_SKIP() << "devices do not work in this folder";
  close(opened);
  EXPECT_EQ(refusal_to_write(device), "accepted");
  EXPECT_TRUE(fs::is_character_file(device));
  EXPECT_THAT(names(), ElementsAre("null"));
}

TEST_F(File, APipeIsWrittenAndStaysAPipe) {
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::string received;
  std::thread reader([&] { received = content(pipe); });
  write_file("new", pipe);
  reader.join();
  EXPECT_EQ(received, "new");
  EXPECT_TRUE(fs::is_fifo(pipe));
}

TEST_F(File, AReadOnlyOneIsNotReplaced) {
  const fs::path file = written("a", "old");
  ASSERT_EQ(chmod(file.c_str(), 0444), 0);
  EXPECT_THAT(refusal_to_write(file), AllOf(HasSubstr(file.string()), HasSubstr("read-only"), HasSubstr("chmod u+w")));
  EXPECT_EQ(content(file), "old");
}

TEST_F(File, PlacesThatCannotBeWrittenAreRefused) {
  EXPECT_THAT(refusal_to_write(folder_), HasSubstr("it is a folder"));
  EXPECT_THAT(refusal_to_write(folder_ / ""), HasSubstr("it is a folder"));
  EXPECT_THAT(refusal_to_write(folder_ / "missing" / "a"), HasSubstr("No such file"));
  EXPECT_NO_THROW(check_writable("/dev/full")) << "what is full shows when it is written";
  EXPECT_THROW(write_file("new", "/dev/full"), std::runtime_error);
}

TEST_F(File, CheckingChangesNothing) {
  check_writable(folder_ / "a");
  EXPECT_THAT(names(), ElementsAre());
  const fs::path file = written("a", "old");
  check_writable(file);
  EXPECT_EQ(content(file), "old");
}

TEST_F(File, IsReadWhole) {
  const std::string text(200000, 'x');
  EXPECT_EQ(read_file(written("a", text + "\r\n")), text + "\r\n");
}

TEST_F(File, WhatMayNeverEndIsNotRead) {
  EXPECT_THAT(refusal_to_read("/dev/zero"), AllOf(HasSubstr("/dev/zero"), HasSubstr("no regular file")));
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(refusal_to_read(pipe), HasSubstr("no regular file"));
  EXPECT_THAT(refusal_to_read(folder_), AllOf(HasSubstr(folder_.string()), HasSubstr("it is a folder")));
  EXPECT_THAT(refusal_to_read(folder_ / "missing"), HasSubstr("No such file"));
  const fs::path large = written("large", "");
  fs::resize_file(large, int64_t{3} << 30);
  EXPECT_THAT(refusal_to_read(large), HasSubstr("a gigabyte at most"));
}

}  // namespace
}  // namespace flash_steps
