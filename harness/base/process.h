// Runs other programs, and knows its own.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace flash_steps {

struct ProcessResult {
  int exit_code = 0;  ///< 128 + the signal if one ended it
  std::string output;
};

/// Runs a program found on the PATH, without a shell, and collects what it prints to stdout; its stderr is dropped.
/// Nothing if there is no such program.
std::optional<ProcessResult> run_process(std::vector<std::string> argv);

/// The file of the program that runs, links followed; empty if the system does not tell.
std::filesystem::path executable();

}  // namespace flash_steps
