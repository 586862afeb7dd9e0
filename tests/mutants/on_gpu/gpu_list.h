// The mutants that were compiled for a GPU: a folder with a library for each, and a list of them, which is all that the
// program gpu_mutants knows of them on the machine where it runs.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/results/results.h"

namespace flash_steps::mutants {

struct BuiltMutant {
  std::string kernel;
  std::string code;     ///< hash of the kernel's file
  std::string mistake;  ///< empty: the kernel as it is
  int line = 0;
  std::string before;  ///< as in Mutant
  std::string after;
  std::string config;                 ///< that it runs in
  std::string name;                   ///< that it is registered under
  std::string library;                ///< its file in the folder; empty: ptxas refuses it
  std::vector<std::string> messages;  ///< of ptxas, as ptxas_messages() gives them

  bool is_control() const { return mistake.empty(); }
};

struct GpuList {
  std::optional<std::string> git;  ///< of which commit they are
  std::optional<bool> dirty;
  std::vector<BuiltMutant> mutants;
};

/// As write_file() does, to list.json in the folder.
void write_gpu_list(const std::vector<BuiltMutant>& mutants, const Meta& meta, const std::filesystem::path& folder);

/// Throws std::runtime_error that names the file and the field.
GpuList read_gpu_list(const std::filesystem::path& folder);

}  // namespace flash_steps::mutants
