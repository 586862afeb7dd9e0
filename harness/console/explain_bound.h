// --explain: the bound of a variant, from its counters on the emulator and its machine code.
#pragma once

#include <iosfwd>
#include <map>
#include <string>

#include "harness/contract/registry.h"
#include "harness/machine/machine.h"
#include "harness/model/fa2_speed.h"
#include "harness/sass/stored.h"

namespace flash_steps {

/// Reads once what all variants of a type share: the stored machine code and how fast FlashAttention-2 ran. A file that
/// cannot be read leaves open what it would tell.
class BoundExplainer {
 public:
  BoundExplainer(Machine& emulator, Dtype dtype);

  /// Runs the variant, which must be right, on the emulator; another problem is loaded afterwards.
  void print(std::ostream& out, const Kernel& kernel, const Variant& variant);

 private:
  Machine& emulator_;
  StoredMachineCode machine_code_;
  std::map<std::string, Fa2Speed> fa2_;
};

}  // namespace flash_steps
