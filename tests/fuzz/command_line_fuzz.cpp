// Fuzzes the command line. An input is a command line with an argument on each line. Whatever it says, it is understood
// and planned, or refused with one of the two exceptions that the runner turns into a sentence and an exit code.
#include <cstddef>
#include <cstdint>
#include <sstream>

#include "harness/base/text.h"
#include "harness/console/list.h"
#include "harness/contract/registry.h"
#include "harness/contract/select.h"
#include "harness/machine/machine.h"
#include "harness/measure/plan.h"
#include "harness/runner/options.h"
#include "tests/support/recording_machine.h"

namespace flash_steps {
namespace {

// What the runner does before it runs anything.
void understand(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv = {"runner"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  const Options options = parse_options(static_cast<int>(argv.size()), argv.data());
  if (!options.help.empty()) return;
  std::vector<const Kernel*> selected = select_kernels(options.kernels.empty() ? "all" : options.kernels, kernels());
  std::ostringstream out;
  print_list(out, selected);
  std::erase_if(selected, [](const Kernel* kernel) {  // what a plan needs their code for, two show
    return kernel->name != "07_autotune" && kernel->name != "16_static_stride";
  });
  if (selected.empty()) return;
  check_choice(selected, options.settings);
  static const RecordingMachine machine(Target::emulator);
  const Problem usual = default_problem(machine, selected).problem;
  for (const Problem& problem : problems_of(options.settings, usual)) {
    plan_for(problem, selected, options.settings, machine);
  }
}

}  // namespace
}  // namespace flash_steps

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    flash_steps::understand(flash_steps::split(text, '\n'));
  } catch (const flash_steps::UsageError&) {
  } catch (const flash_steps::MachineError&) {
  }
  return 0;
}
