// The runner: reads the command line, and turns what went wrong into a sentence and an exit code.
#include <iostream>
#include <new>
#include <string>
#include <vector>

#include "harness/machine/backend.h"
#include "harness/runner/options.h"
#include "harness/runner/run.h"

namespace {

enum ExitCode { good = 0, command_line_wrong = 2, machine_cannot = 3 };

int fail(const std::string& sentence, ExitCode code) {
  std::cerr << "runner: " << sentence << "\n";
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace flash_steps;
  try {
    const Options options = parse_options(argc, argv);
    if (!options.help.empty()) {
      std::cout << options.help;
      return good;
    }
    return run(options, std::vector<std::string>(argv, argv + argc));
  } catch (const UsageError& error) {
    return fail(error.what(), command_line_wrong);
  } catch (const std::bad_alloc&) {
    return fail("the memory of this machine does not suffice; a smaller batch, heads or seqlen would work",
                machine_cannot);
  } catch (const std::exception& error) {
    return fail(error.what(), machine_cannot);
  }
}
