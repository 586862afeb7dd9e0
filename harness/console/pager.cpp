#include "harness/console/pager.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "harness/base/terminal.h"

namespace flash_steps {
namespace {

// -F leaves the pager out where the text fits, -R lets colours through, -X leaves the text on the terminal.
constexpr const char* default_pager = "less -FRX";

std::string pager() {
  const char* const named = std::getenv("PAGER");
  if (named == nullptr) return default_pager;
  const std::string program = named;
  return program == "cat" ? "" : program;
}

// Whether it was shown. Without such a program the shell says so on stderr, which is not what was asked for.
bool shown_by(const std::string& program, const std::string& text) {
  if (std::system(("command -v " + program.substr(0, program.find(' ')) + " >/dev/null 2>&1").c_str()) != 0) {
    return false;
  }
  std::cout.flush();
  const auto before = std::signal(SIGPIPE, SIG_IGN);  // who leaves the pager early has read enough
  FILE* const pipe = popen(program.c_str(), "w");
  if (pipe != nullptr) {
    std::fwrite(text.data(), 1, text.size(), pipe);
    pclose(pipe);
  }
  std::signal(SIGPIPE, before);
  return pipe != nullptr;
}

}  // namespace

void show_in_pager(const std::string& text) {
  const std::string program = is_interactive() ? pager() : "";
  if (program.empty() || !shown_by(program, text)) std::cout << text;
}

}  // namespace flash_steps
