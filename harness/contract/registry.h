// The kernels that registered themselves.
#pragma once

#include <string>
#include <vector>

#include "harness/contract/kernel.h"

namespace flash_steps {

struct Kernel {
  std::string name;         ///< "01_base"
  std::string summary;      ///< one line
  std::string source_file;  ///< path of the .cu as it was compiled
  std::vector<Variant> gpu;
  std::vector<Variant> emulator;

  int number() const { return std::stoi(name); }
  const std::vector<Variant>& variants(Target target) const { return target == Target::gpu ? gpu : emulator; }
};

/// All kernels, by number.
const std::vector<Kernel>& kernels();

}  // namespace flash_steps
