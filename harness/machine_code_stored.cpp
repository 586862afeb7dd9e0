#include "harness/machine_code_stored.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "harness/baselines/stored.h"
#include "harness/problem.h"

namespace flash_steps {

const InstructionCounts* StoredMachineCode::main_loop(const std::string& kernel, const std::string& config,
                                                      const std::string& arch) const {
  const auto found = main_loops.find({kernel, config, arch});
  return found == main_loops.end() ? nullptr : &found->second;
}

std::filesystem::path machine_code_file() { return stored_results() / "machine_code.json"; }

StoredMachineCode read_stored_machine_code(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error("cannot read " + file.string() + ", which holds the kernels' machine code");
  StoredMachineCode stored{file, {}};
  try {
    const nlohmann::json json = nlohmann::json::parse(stream);
    for (const nlohmann::json& row : json.at("rows")) {
      const auto text = [&](const char* key) { return row.at(key).get<std::string>(); };
      if (text("dtype") != name_of(Dtype::fp16)) continue;
      InstructionCounts& counts = stored.main_loops[{text("kernel"), text("config"), text("arch")}];
      for (const std::string& name : counted_names()) counts[name] = row.at("main_loop").at(name);
    }
  } catch (const nlohmann::json::exception& error) {
    throw std::runtime_error(file.string() + ": " + error.what() +
                             "; one that --machine-code --json=FILE wrote would work");
  }
  return stored;
}

}  // namespace flash_steps
