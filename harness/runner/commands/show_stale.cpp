#include <iostream>

#include "harness/base/terminal.h"
#include "harness/base/text.h"
#include "harness/results/folder.h"
#include "harness/results/stale.h"
#include "harness/runner/commands/commands.h"

namespace flash_steps {

int show_stale() {
  const std::vector<StaleFile> stale = stale_files(stored_results());
  if (stale.empty()) std::cout << "All results in docs/results are of today's kernels.\n";
  for (const StaleFile& file : stale) {
    std::cout << ("docs/results" / file.file.lexically_relative(stored_results())).string() << "\n";
    for (const std::string& reason : file.reasons) std::cout << wrapped("  " + reason, page_width(), 4) << "\n";
    const std::string command = file.command.empty() ? "it does not say by which command" : file.command;
    std::cout << wrapped("  made by: " + command, page_width(), 11) << "\n";
  }
  return 0;
}

}  // namespace flash_steps
