#include "harness/base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "harness/base/error.h"

namespace flash_steps {
namespace {

// A pipe whose ends close themselves.
struct Pipe {
  std::array<int, 2> ends{-1, -1};  // to read from, to write to

  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  bool open() { return pipe2(ends.data(), O_CLOEXEC) == 0; }
  void close_end(int end) {
    if (ends[end] >= 0) close(ends[end]);
    ends[end] = -1;
  }
};

// Reads both pipes to their ends, whichever has something: a child that fills one while the other is read would wait
// for ever.
void read_both(Pipe& first, std::string& first_text, Pipe& second, std::string& second_text) {
  std::array<std::pair<Pipe*, std::string*>, 2> sources{{{&first, &first_text}, {&second, &second_text}}};
  while (first.ends[0] >= 0 || second.ends[0] >= 0) {
    std::array<pollfd, 2> waited{{{first.ends[0], POLLIN, 0}, {second.ends[0], POLLIN, 0}}};
    if (poll(waited.data(), waited.size(), -1) < 0 && errno != EINTR) return;
    for (size_t i = 0; i < sources.size(); i++) {
      auto& [pipe, text] = sources[i];
      if (pipe->ends[0] < 0 || waited[i].revents == 0) continue;
      char buffer[4096];
      const ssize_t count = read(pipe->ends[0], buffer, sizeof buffer);
      if (count > 0) text->append(buffer, static_cast<size_t>(count));
      if (count == 0 || (count < 0 && errno != EINTR)) pipe->close_end(0);
    }
  }
}

}  // namespace

std::optional<ProcessResult> run_process(std::vector<std::string> argv) {
  const auto fail = [&](const char* what, int error) {
    throw MachineError(argv[0] + " " + what + ": " + std::strerror(error));
  };
  std::vector<char*> arguments;
  for (std::string& argument : argv) arguments.push_back(argument.data());
  arguments.push_back(nullptr);

  Pipe output, errors;
  if (!output.open() || !errors.open()) fail("cannot be started, for no pipe can be made", errno);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output.ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors.ends[1], STDERR_FILENO);
  pid_t child = 0;
  const int error = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error == ENOENT) return std::nullopt;
  if (error != 0) fail("cannot be started", error);
  output.close_end(1);
  errors.close_end(1);

  ProcessResult result;
  read_both(output, result.output, errors, result.errors);
  int status = 0;
  pid_t ended = 0;
  while ((ended = waitpid(child, &status, 0)) < 0 && errno == EINTR) {
  }
  if (ended != child) fail("was run, but how it ended is not known", errno);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

std::filesystem::path executable() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error);
}

}  // namespace flash_steps
