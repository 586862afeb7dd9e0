#include "harness/base/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace flash_steps {
namespace {

constexpr int default_width = 110;
constexpr int least_width = 80;

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool is_terminal(int descriptor) { return isatty(descriptor) != 0; }

bool understands_escapes() { return !variable("TERM").empty() && variable("TERM") != "dumb"; }

}  // namespace

int page_width() {
  int width = 0;
  winsize size{};
  if (is_terminal(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) width = size.ws_col;
  if (width == 0) width = std::atoi(variable("COLUMNS").data());
  return width <= 0 ? default_width : std::max(width, least_width);
}

bool is_interactive() { return is_terminal(STDOUT_FILENO) && understands_escapes(); }

bool coloured_stdout() { return is_interactive() && variable("NO_COLOR").empty(); }

bool live_stderr() { return is_terminal(STDERR_FILENO) && understands_escapes(); }

}  // namespace flash_steps
