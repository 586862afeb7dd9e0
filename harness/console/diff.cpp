#include "harness/console/diff.h"

#include <ostream>

#include "harness/base/process.h"
#include "harness/contract/source.h"
#include "harness/machine/backend.h"

namespace flash_steps {
namespace {

std::string source_of(const Kernel& kernel) {
  const auto file = find_source(kernel);
  if (!file) {
    throw MachineError("the source kernels/" + kernel.name +
                       ".cu is neither in " FLASH_STEPS_SOURCE_DIR
                       " nor beside the runner's folder; a runner built in its checkout would find it");
  }
  return file->string();
}

}  // namespace

void print_diff(std::ostream& out, const Kernel& kernel, const std::vector<Kernel>& kernels, bool coloured) {
  const Kernel* previous = nullptr;
  for (const Kernel& other : kernels) {
    if (other.number() < kernel.number()) previous = &other;
  }
  if (previous == nullptr) {
    out << kernel.name << " is the first step: there is none before it to compare it with.\n";
    return;
  }
  const auto diff = run_process({"diff", "--unified=3", coloured ? "--color=always" : "--color=never",
                                 "--label=" + previous->name + ".cu", "--label=" + kernel.name + ".cu", "--",
                                 source_of(*previous), source_of(kernel)});
  if (!diff || diff->exit_code > 1) {
    throw MachineError("the program diff is missing or does not work; the package diffutils has it");
  }
  out << diff->output;
}

}  // namespace flash_steps
