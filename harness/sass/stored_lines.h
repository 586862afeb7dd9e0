// The machine code of a kernel line by line as the project keeps it: docs/results/lines/KERNEL.json, of the default
// config in fp16, made by
//
//     ./runner --kernel=primer,all --machine-code --lines --arch=sm_80,sm_86,sm_90 --json=docs/results/lines
//
// so that it can be read where there is neither a compiler nor a disassembler.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/contract/registry.h"
#include "harness/results/results.h"
#include "harness/sass/source_lines.h"

namespace flash_steps {

struct FunctionLines {
  std::string arch;      ///< "sm_80"
  std::string function;  ///< "attention"
  int registers = 0;
  std::vector<PlacedInstruction> instructions;
};

struct KernelLines {
  std::string kernel;
  std::string config;
  std::string code;                 ///< see code_hash() in freshness.h
  std::vector<std::string> source;  ///< the lines that were compiled
  std::vector<FunctionLines> functions;
};

/// docs/results/lines/KERNEL.json
std::filesystem::path machine_lines_file(const std::string& kernel);

/// Throws std::runtime_error that names the file and the field.
KernelLines read_machine_lines(const std::filesystem::path& file);

/// As write_file() does.
void write_machine_lines(const KernelLines& lines, const Meta& meta, const std::filesystem::path& file);

}  // namespace flash_steps
