// What the checks that need a GPU or much time came to (docs/method/evidence.md): a few words each, from the files that
// they wrote; and the emulator's counters beside the hardware's.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace flash_steps {

/// The names that render_figure() takes.
std::vector<std::string> figures();

/// "729 mutants, 0 survive", from the files in `results`. Throws std::invalid_argument for a name that is no figure's,
/// and std::runtime_error that names the file and the field where one is not as it should be.
std::string render_figure(const std::string& name, const std::filesystem::path& results);

/// The counters of the first kernel of h100_counters.json in its first type at its shortest length, from both.
std::string render_counters(const std::filesystem::path& results);

}  // namespace flash_steps
