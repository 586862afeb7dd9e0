// What ptxas says of a kernel while it is compiled.
#pragma once

#include <string>
#include <vector>

namespace flash_steps::mutants {

/// The messages of ptxas in what nvcc printed, each once: "C7511: Potential Performance Loss: …", or "error: …" for one
/// that made it refuse. Without the names of functions and files and the numbers of lines, which differ by type.
std::vector<std::string> ptxas_messages(const std::string& printed);

/// The code in front of a message: "C7511", or "error"; empty if it has none.
std::string code_of_message(const std::string& message);

}  // namespace flash_steps::mutants
