#include "harness/sass/stored.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "harness/contract/problem.h"
#include "harness/results/stored_times.h"

namespace flash_steps {

const MachineCode* StoredMachineCode::find(const std::string& kernel, const std::string& config,
                                           const std::string& arch) const {
  const auto found = codes.find({kernel, config, arch});
  return found == codes.end() ? nullptr : &found->second;
}

const InstructionCounts* StoredMachineCode::main_loop(const std::string& kernel, const std::string& config,
                                                      const std::string& arch) const {
  const MachineCode* code = find(kernel, config, arch);
  return code == nullptr ? nullptr : &code->main_loop;
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
      MachineCode& code = stored.codes[{text("kernel"), text("config"), text("arch")}];
      code.function = {text("arch"), "", row.at("registers"), row.at("stack_bytes")};
      for (const std::string& name : counted_names()) {
        code.whole_kernel[name] = row.at("whole_kernel").at(name);
        code.main_loop[name] = row.at("main_loop").at(name);
      }
      code.global_accesses = row.at("global_accesses").get<std::set<std::string>>();
    }
  } catch (const nlohmann::json::exception& error) {
    throw std::runtime_error(file.string() + ": " + error.what() +
                             "; one that --machine-code --json=FILE wrote would work");
  }
  return stored;
}

}  // namespace flash_steps
