// The tables of machine code on the pages of the steps, from docs/results/machine_code.json.
#pragma once

#include <string>
#include <vector>

#include "harness/contract/registry.h"
#include "harness/sass/stored.h"

namespace flash_steps {

/// The words behind the name in <!-- machine-code HMMA MOV total -->: columns and, if it is not each step's default
/// that is shown, config=NAME.
struct MachineCodeColumns {
  std::vector<std::string> names;
  std::string config;  ///< empty: each kernel's first
};

/// Throws std::runtime_error that names a word that is no column and says which there are: those of counted_names(),
/// "registers" of a thread, and "spill", a thread's bytes of stack.
MachineCodeColumns machine_code_columns(const std::vector<std::string>& words);

/// A row for each GPU and step in Markdown, instructions as whole kernel/main loop, with the config from the first step
/// on that has several. A config stands also for the one whose name it begins: 128x64_q2k2v2c2 for
/// 128x64_q2k2v2c2_h16. Steps without it, as those before 07, are shown with their first. Throws std::runtime_error if
/// the last step has no such config.
std::string render_machine_code(const std::vector<const Kernel*>& steps, const MachineCodeColumns& columns,
                                const StoredMachineCode& stored);

/// A row for each config of the kernel, and for each column and GPU a figure: of the main loop, where it is of
/// instructions. Throws std::runtime_error if a config is wanted.
std::string render_machine_code_configs(const Kernel& kernel, const MachineCodeColumns& columns,
                                        const StoredMachineCode& stored);

}  // namespace flash_steps
