#include "harness/base/terminal.h"
#include "harness/console/diff.h"
#include "harness/console/pager.h"
#include "harness/runner/commands/commands.h"

namespace flash_steps {

int show_diff(const Selection& kernels) {
  std::string text;
  for (const Kernel* kernel : kernels) text += diff_of(*kernel, coloured_stdout());
  show_in_pager(text);
  return 0;
}

}  // namespace flash_steps
