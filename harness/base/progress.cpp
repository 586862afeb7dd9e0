#include "harness/base/progress.h"

#include <unistd.h>

#include <iostream>

namespace flash_steps {

Progress::Progress() : on_terminal_(isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() { clear(); }

void Progress::say(const std::string& text) {
  // Back to the start of the line, and clear to its end.
  if (on_terminal_) std::cerr << "\r\033[K" << text << std::flush;
}

void Progress::clear() { say(""); }

}  // namespace flash_steps
