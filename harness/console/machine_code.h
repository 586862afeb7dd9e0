// --machine-code: the machine code of the chosen kernels as a table and as a file of schema
// "flash-steps/machine-code/1".
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "harness/results/results.h"
#include "harness/runner/options.h"
#include "harness/sass/machine_code.h"

namespace flash_steps {

struct MachineCodeRow {
  const Kernel* kernel;
  const Variant* variant;
  MachineCode code;
};

/// The machine code in a binary of the kernels' variants that the options choose, for each architecture that they
/// choose: by default fp16, the first config of each kernel and all architectures. By architecture, then by kernel.
/// Throws MachineError for what the binary does not hold.
std::vector<MachineCodeRow> read_machine_code(const std::filesystem::path& binary,
                                              const std::vector<const Kernel*>& kernels, const Options& options);

/// Counts of each row, for the whole kernel and for its main loop, and how they changed against the kernel before:
/// against its row of the same config if there is one, otherwise against its first.
void print_machine_code(std::ostream& out, const std::vector<MachineCodeRow>& rows);

/// Throws std::runtime_error.
void write_machine_code(const std::vector<MachineCodeRow>& rows, const Meta& meta, const std::filesystem::path& file);

}  // namespace flash_steps
