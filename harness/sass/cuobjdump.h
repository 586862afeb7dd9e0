// Runs cuobjdump, the disassembler of the CUDA Toolkit, on a binary with kernels in it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/sass/counts.h"

namespace flash_steps {

class Cuobjdump {
 public:
  /// Looks for cuobjdump and for nvdisasm, which it runs, on the PATH, in the CUDA Toolkit's usual folder and where
  /// scripts/setup.sh --disassembler puts them. Throws MachineError.
  Cuobjdump();

  /// The kernel functions in a binary, for every architecture that it holds. Throws MachineError if it holds none.
  std::vector<DeviceFunction> functions(const std::filesystem::path& binary) const;

  /// Takes a third of a second. Throws MachineError.
  MachineCode disassemble(const std::filesystem::path& binary, const DeviceFunction& function) const;

  /// What nvdisasm prints of all functions for one architecture, with the places in the source that their instructions
  /// came from; with their encodings if that is asked for. Takes seconds. Throws MachineError.
  std::string with_lines(const std::filesystem::path& binary, const std::string& arch, bool encodings = false) const;

 private:
  std::string run(std::vector<std::string> arguments) const;

  std::filesystem::path program_;
  std::filesystem::path nvdisasm_;
  std::string path_;  ///< the PATH that it needs
};

}  // namespace flash_steps
