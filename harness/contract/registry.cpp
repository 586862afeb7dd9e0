#include "harness/contract/registry.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <stdexcept>

namespace flash_steps {
namespace {

// Registrations run before main, in any order: the list must exist at the first of them.
std::vector<Kernel>& registered_kernels() {
  static std::vector<Kernel> list;
  return list;
}

}  // namespace

Registration::Registration(const char* file, const char* summary, std::vector<Variant> variants, Target target) {
  std::vector<Kernel>& list = registered_kernels();
  const std::string name = std::filesystem::path(file).stem().string();
  const bool numbered = name.size() > 3 && std::isdigit(static_cast<unsigned char>(name[0])) &&
                        std::isdigit(static_cast<unsigned char>(name[1])) && name[2] == '_';
  if (!numbered) throw std::logic_error(name + " is not the name of a kernel file; it would be 01_name");

  const int number = std::stoi(name);
  auto kernel = std::find_if(list.begin(), list.end(), [&](const Kernel& k) { return k.number() >= number; });
  if (kernel == list.end() || kernel->number() != number) {
    kernel = list.insert(kernel, Kernel{name, summary, file, {}, {}});
  } else if (kernel->name != name) {
    throw std::logic_error(kernel->name + " and " + name + " have the same number");
  }
  std::vector<Variant>& of_target = target == Target::gpu ? kernel->gpu : kernel->emulator;
  of_target.insert(of_target.end(), variants.begin(), variants.end());
}

const std::vector<Kernel>& kernels() { return registered_kernels(); }

}  // namespace flash_steps
