// The machine code of the kernels as they were built.
#pragma once

#include <string>
#include <vector>

#include "harness/contract/registry.h"
#include "harness/sass/counts.h"
#include "harness/sass/stored_lines.h"

namespace flash_steps {

/// One function of one variant for one architecture.
struct MachineCodeRow {
  const Kernel* kernel;
  const Variant* variant;
  std::string function;  ///< "attention"; a kernel of several launches has several
  MachineCode code;
};

/// Of these variants of one kernel, all of them for the GPU. `archs` are as in sm_80; empty: all that were built. By
/// architecture, then by variant. Throws MachineError for what was not built, and where there is no disassembler.
std::vector<MachineCodeRow> read_machine_code(const Kernel& kernel, const std::vector<const Variant*>& variants,
                                              const std::vector<std::string>& archs);

/// The same of one variant, with the lines that each instruction came from.
KernelLines built_lines(const Kernel& kernel, const Variant& variant, const std::vector<std::string>& archs);

}  // namespace flash_steps
