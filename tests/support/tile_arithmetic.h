// What the tests of counters and of machine code both derive from a kernel's number and its config's name.
#pragma once

#include "harness/contract/registry.h"

namespace flash_steps {

/// Whether a warp loads its rows of Q once, or again in each block: 04 to 06 save registers, and from 07 on q0 in the
/// name of a config says that Q stays in them.
inline bool keeps_q_in_registers(const Kernel& kernel, const TileShape& tile) {
  return kernel.number <= 3 || (kernel.number >= 7 && tile.config.find("_q0") != std::string::npos);
}

}  // namespace flash_steps
