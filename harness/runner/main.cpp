// The runner: reads the command line, and turns what went wrong into a sentence and an exit code.
#include <csignal>
#include <iostream>
#include <new>

#include "harness/base/error.h"
#include "harness/runner/commands/commands.h"
#include "harness/runner/run.h"

namespace {

enum ExitCode { good = 0, kernel_wrong = 1, command_line_wrong = 2, machine_cannot = 3 };

int fail(const std::string& sentence, ExitCode code) {
  flash_steps::say(sentence);
  return code;
}

int run(int argc, char** argv) {
  using namespace flash_steps;
  try {
    const Options options = parse_options(argc, argv);
    if (!options.help.empty()) {
      std::cout << options.help;
      return good;
    }
    return flash_steps::run(options, Arguments(argv, argv + argc));
  } catch (const UsageError& error) {
    return fail(error.what(), command_line_wrong);
  } catch (const KernelError& error) {
    return fail(error.what(), kernel_wrong);
  } catch (const std::bad_alloc&) {
    return fail("the memory of this machine does not suffice; a smaller batch, heads or seqlen would work",
                machine_cannot);
  } catch (const std::exception& error) {
    return fail(error.what(), machine_cannot);
  }
}

bool asks_for_needs(int argc, char** argv) { return argc > 1 && std::string(argv[1]) == "--needs"; }

}  // namespace

int main(int argc, char** argv) {
  // Whoever started this program may ignore the ends of its children; then nobody could know how they ended.
  std::signal(SIGCHLD, SIG_DFL);
  const int code = asks_for_needs(argc, argv) ? flash_steps::show_needs(argc, argv) : run(argc, argv);
  std::cout.flush();
  if (std::cout) return code;
  const int no_output = fail("stdout cannot be written: its disk is full, or nobody reads it", machine_cannot);
  return code == good ? no_output : code;
}
