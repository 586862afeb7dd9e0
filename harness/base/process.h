// Runs other programs, and knows its own.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace flash_steps {

struct ProcessResult {
  int exit_code = 0;   ///< 128 + the signal if one ended it
  std::string output;  ///< what it printed to stdout
  std::string errors;  ///< what it printed to stderr
};

/// Runs a program found on the PATH, without a shell and with an empty stdin, and collects what it prints. Nothing if
/// there is no such program. Throws MachineError if it cannot be started for another reason, or if how it ended cannot
/// be found out.
std::optional<ProcessResult> run_process(std::vector<std::string> argv);

/// The file of the program that runs, links followed; empty if the system does not tell.
std::filesystem::path executable();

}  // namespace flash_steps
