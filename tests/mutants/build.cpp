#include "mutants/build.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/process.h"
#include "mutants/translation_unit.h"

namespace flash_steps::mutants {
namespace {

std::string quoted(const std::filesystem::path& path) { return "'" + path.string() + "'"; }

}  // namespace

std::string compile_command(const std::string& target) {
  const std::filesystem::path file = FLASH_STEPS_COMPILE_COMMANDS;
  std::ifstream stream(file);
  if (!stream) {
    throw std::runtime_error("there is no " + file.string() +
                             ", which says how kernels are compiled; building with Ninja or make would write it");
  }
  for (const auto& entry : nlohmann::json::parse(stream)) {
    const std::string command = entry.at("command");
    const size_t output = command.rfind(" -o ");
    if (command.find("/" + target + ".dir/", output) == std::string::npos) continue;
    // nvcc is told the language and the file in front of that, GCC behind it.
    return command.substr(0, std::min(output, command.rfind(" -x cu -c ")));
  }
  throw std::runtime_error(file.string() + " does not say how " + target + " is compiled; configuring anew would");
}

std::filesystem::path build_library(const std::vector<Mutant>& mutants, const std::filesystem::path& folder) {
  const std::string kernel = mutants.front().kernel;
  const std::filesystem::path source = folder / (kernel + ".cu");
  const std::filesystem::path library = folder / (kernel + ".so");
  write_file(translation_unit(mutants), source);
  const std::string command = compile_command("kernel_" + kernel) +
                              " -I" FLASH_STEPS_SOURCE_DIR "/kernels -O0 -w -fPIC -shared -o " + quoted(library) + " " +
                              quoted(source) + " 2>&1";
  const auto compiled = run_process({"sh", "-c", command});
  if (!compiled) throw std::runtime_error("there is no sh to start the compiler with");
  if (compiled->exit_code != 0) {
    throw CatalogueError("the mutants of " + kernel + ".cu do not compile, which is a mistake in the catalogue:\n" +
                         compiled->output);
  }
  return library;
}

}  // namespace flash_steps::mutants
