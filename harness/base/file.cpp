#include "harness/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

constexpr int64_t most_bytes = int64_t{1} << 30;
constexpr int most_links = 40;  // what Linux follows
constexpr mode_t anyone_writes = S_IWUSR | S_IWGRP | S_IWOTH;
constexpr mode_t new_file_mode = S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH;  // less the umask

[[noreturn]] void refuse_to_read(const fs::path& file, const std::string& reason) {
  throw std::runtime_error("cannot read " + file.string() + ": " + reason);
}

[[noreturn]] void refuse_to_write(const fs::path& file, const std::string& reason,
                                  const std::string& what_works =
                                      "a file name in a folder that exists and is "
                                      "writable would work") {
  throw std::runtime_error("cannot write " + file.string() + ": " + reason + "; " + what_works);
}

// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  bool is_open() const { return number_ >= 0; }
  int number() const { return number_; }

  // Whether it closed without an error: some file systems report a full disk only now.
  bool close() {
    const int number = number_;
    number_ = -1;
    return ::close(number) == 0;
  }

 private:
  int number_;
};

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) text.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

// Follows links, also those to what does not exist yet.
fs::path target_of(const fs::path& file) {
  fs::path target = file;
  std::error_code error;
  for (int links = 0; fs::is_symlink(target, error); links++) {
    if (links == most_links) refuse_to_write(file, "it is a link that leads round in a circle");
    const fs::path next = fs::read_symlink(target, error);
    if (error) refuse_to_write(file, error.message());
    target = next.is_absolute() ? next : target.parent_path() / next;
  }
  return target;
}

fs::path folder_of(const fs::path& file) { return file.has_parent_path() ? file.parent_path() : fs::path("."); }

// How a file will be written.
struct Target {
  fs::path file;            // links followed
  bool directly = false;    // it is there, and no regular file
  struct stat status = {};  // of a regular file that is there
  bool exists = false;
};

Target checked_target(const fs::path& file) {
  Target target{target_of(file)};
  if (target.file.filename().empty()) refuse_to_write(file, "it is a folder");
  if (stat(target.file.c_str(), &target.status) != 0) {
    if (errno != ENOENT) refuse_to_write(file, std::strerror(errno));
    if (access(folder_of(target.file).c_str(), W_OK | X_OK) != 0) refuse_to_write(file, std::strerror(errno));
    return target;
  }
  target.exists = true;
  const mode_t mode = target.status.st_mode;
  if (S_ISDIR(mode)) refuse_to_write(file, "it is a folder");
  target.directly = !S_ISREG(mode);
  // Root may write what nobody may; but whoever took the right away meant it.
  if ((mode & anyone_writes) == 0 || access(target.file.c_str(), W_OK) != 0) {
    refuse_to_write(file, "it is read-only", "another name, or chmod u+w, would work");
  }
  if (!target.directly && access(folder_of(target.file).c_str(), W_OK | X_OK) != 0) {
    refuse_to_write(file, "its folder is not writable");
  }
  return target;
}

void write_directly(const std::string& text, const fs::path& file) {
  Descriptor descriptor(open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (!descriptor.is_open() || !write_all(descriptor.number(), text) || !descriptor.close()) {
    refuse_to_write(file, std::strerror(errno));
  }
}

// `name` is what messages call it.
void write_and_rename(const std::string& text, const Target& target, const fs::path& name) {
  const std::string temporary = target.file.string() + "." + std::to_string(getpid()) + ".tmp";
  const auto give_up = [&](int error) {
    unlink(temporary.c_str());
    refuse_to_write(name, std::strerror(error));
  };
  Descriptor descriptor(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, new_file_mode));
  if (!descriptor.is_open()) refuse_to_write(name, std::strerror(errno));
  if (!write_all(descriptor.number(), text)) give_up(errno);
  if (target.exists) {
    // That it stays the owner's is a wish, which root alone can fulfil; the mode is a promise.
    [[maybe_unused]] const int wished = fchown(descriptor.number(), target.status.st_uid, target.status.st_gid);
    if (fchmod(descriptor.number(), target.status.st_mode & 07777) != 0) give_up(errno);
  }
  if (!descriptor.close()) give_up(errno);
  if (rename(temporary.c_str(), target.file.c_str()) != 0) give_up(errno);
}

}  // namespace

std::string read_file(const fs::path& file) {
  struct stat status = {};
  if (stat(file.c_str(), &status) != 0) refuse_to_read(file, std::strerror(errno));
  if (S_ISDIR(status.st_mode)) refuse_to_read(file, "it is a folder; a file would work");
  if (!S_ISREG(status.st_mode)) refuse_to_read(file, "it is no regular file but a device or a pipe; a file would work");
  if (status.st_size > most_bytes) {
    refuse_to_read(file,
                   "it has " + std::to_string(status.st_size) + " bytes; a file of a gigabyte at most would work");
  }
  const Descriptor descriptor(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!descriptor.is_open()) refuse_to_read(file, std::strerror(errno));
  std::string text;
  char buffer[1 << 16];
  while (true) {
    const ssize_t count = ::read(descriptor.number(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) refuse_to_read(file, std::strerror(errno));
    if (count == 0) return text;
    text.append(buffer, static_cast<size_t>(count));
    if (static_cast<int64_t>(text.size()) > most_bytes) refuse_to_read(file, "it grows while it is read");
  }
}

void check_writable(const fs::path& file) {
  if (file != stdout_name) checked_target(file);
}

void write_file(const std::string& text, const fs::path& file) {
  if (file == stdout_name) {
    if (!write_all(STDOUT_FILENO, text)) refuse_to_write("stdout", std::strerror(errno), "another place would work");
    return;
  }
  const Target target = checked_target(file);
  if (target.directly) {
    write_directly(text, target.file);
  } else {
    write_and_rename(text, target, file);
  }
}

}  // namespace flash_steps
