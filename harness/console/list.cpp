#include "harness/console/list.h"

#include <algorithm>
#include <ostream>

#include "harness/base/error.h"
#include "harness/base/terminal.h"
#include "harness/base/text.h"

namespace flash_steps {
namespace {

// What is said of a kernel, behind its name.
std::vector<std::string> about(const Kernel& kernel) {
  try {
    return {kernel.summary(), "configs: " + join(configs_of(kernel), " ")};
  } catch (const MachineError&) {
    return {"not built; ./runner --kernel=" + kernel.label() + " says why"};
  }
}

}  // namespace

void print_list(std::ostream& out, const std::vector<const Kernel*>& kernels) {
  int name_width = 0;
  for (const Kernel* kernel : kernels) name_width = std::max(name_width, width_of(kernel->name));
  const int indent = 5 + name_width + 2;
  const Chapter* chapter = nullptr;
  const auto several = [&](const Kernel* kernel) { return kernel->chapter != kernels.front()->chapter; };
  const bool with_titles = std::any_of(kernels.begin(), kernels.end(), several);
  for (const Kernel* kernel : kernels) {
    if (with_titles && kernel->chapter != chapter) {
      out << (chapter == nullptr ? "" : "\n") << kernel->chapter->title << " (--kernel=" << kernel->chapter->name
          << ")\n";
    }
    chapter = kernel->chapter;
    std::string line = pad_right(pad_right(kernel->label(), 5) + kernel->name, indent);
    for (const std::string& sentence : about(*kernel)) {
      const size_t words = sentence.find(": ");
      const int hanging = sentence.starts_with("configs: ") ? indent + static_cast<int>(words) + 2 : indent;
      out << wrapped(line + sentence, page_width(), hanging) << "\n";
      line = pad_right("", indent);
    }
  }
}

}  // namespace flash_steps
