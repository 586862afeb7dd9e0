#include "harness/console/list.h"

#include <algorithm>
#include <ostream>

#include "harness/base/text.h"

namespace flash_steps {

std::vector<std::string> configs_of(const Kernel& kernel) {
  std::vector<std::string> names;
  for (const std::vector<Variant>* variants : {&kernel.emulator, &kernel.gpu}) {
    for (const Variant& variant : *variants) {
      const std::string& name = variant.tile.config;
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

void print_list(std::ostream& out, const std::vector<const Kernel*>& kernels) {
  constexpr int page_width = 110;
  int name_width = 0;
  for (const Kernel* kernel : kernels) name_width = std::max(name_width, static_cast<int>(kernel->name.size()));
  const int indent = name_width + 6;
  for (const Kernel* kernel : kernels) {
    out << pad_left(std::to_string(kernel->number()), 2) << "  " << pad_right(kernel->name, name_width) << "  "
        << kernel->summary << "\n";
    std::string line = pad_right("", indent) + "configs:";
    for (const std::string& config : configs_of(*kernel)) {
      if (static_cast<int>(line.size() + 1 + config.size()) > page_width) {
        out << line << "\n";
        line = pad_right("", indent + 8);
      }
      line += " " + config;
    }
    out << line << "\n";
  }
}

}  // namespace flash_steps
