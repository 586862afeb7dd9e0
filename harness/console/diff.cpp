#include "harness/console/diff.h"

#include "harness/base/error.h"
#include "harness/base/folders.h"
#include "harness/base/process.h"
#include "harness/base/text.h"
#include "harness/contract/source.h"

namespace flash_steps {
namespace {

std::string source_of(const Kernel& kernel) {
  const auto file = find_source(kernel);
  if (!file) {
    throw MachineError("the source " + kernel.source_path().string() + " is neither in " + source_folder().string() +
                       " nor beside the runner's folder; a runner built in its checkout would find it");
  }
  return file->string();
}

}  // namespace

std::string diff_of(const Kernel& kernel, bool coloured) {
  const Kernel* const before = step_before(kernel);
  if (before == nullptr) {
    return kernel.name + " is the first step: there is none before it to compare it with.\n";
  }
  const auto diff = run_process({"diff", "--unified=3", coloured ? "--color=always" : "--color=never",
                                 "--label=" + before->name + ".cu", "--label=" + kernel.name + ".cu", "--",
                                 source_of(*before), source_of(kernel)});
  if (!diff || diff->exit_code > 1) {
    throw MachineError("the program diff is missing or does not work; the package diffutils has it");
  }
  return diff->output;
}

ChangedLines changed_lines(const Kernel& kernel) {
  ChangedLines changed;
  for (const std::string& line : split(diff_of(kernel, false), '\n')) {
    changed.removed += line.starts_with("-") && !line.starts_with("---");
    changed.added += line.starts_with("+") && !line.starts_with("+++");
  }
  return changed;
}

}  // namespace flash_steps
