// Reads the machine code that the project keeps, machine_code.json of each chapter: what --machine-code wrote of a
// build for all architectures, for machines that cannot make one.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <tuple>

#include "harness/contract/chapter.h"
#include "harness/sass/counts.h"

namespace flash_steps {

/// The kernels in fp16. Those in bf16 do the same with instructions for the other type. Symbols are not stored.
struct StoredMachineCode {
  std::map<std::tuple<std::string, std::string, std::string>, MachineCode> codes;  ///< by kernel, config, arch

  /// nullptr if there is none.
  const MachineCode* find(const std::string& kernel, const std::string& config, const std::string& arch) const;
  const InstructionCounts* main_loop(const std::string& kernel, const std::string& config,
                                     const std::string& arch) const;
};

/// docs/results/machine_code.json, or in the folder of the chapter there.
std::filesystem::path machine_code_file(const Chapter& chapter);

/// Throws std::runtime_error that names the file and the field.
StoredMachineCode read_stored_machine_code(const std::filesystem::path& file);

/// Of all chapters that have one; the sixteen must.
StoredMachineCode read_stored_machine_code();

}  // namespace flash_steps
