#include "harness/sass/stored.h"

#include <algorithm>

#include "harness/base/json.h"
#include "harness/contract/problem.h"
#include "harness/results/folder.h"

namespace flash_steps {
namespace {

InstructionCounts read_counts(const JsonNode& node) {
  InstructionCounts counts;
  for (const std::string& name : counted_names()) {
    if (is_counted_since(name) && !node.has(name.c_str())) continue;
    counts[name] = node[name.c_str()].get<int>();
  }
  return counts;
}

// Of a kernel with several functions the one with the most products is what a bound is about or, without tensor cores,
// that with the largest share of FFMA.
bool multiplies_more(const InstructionCounts& a, const InstructionCounts& b) {
  if (a.at("HMMA") != b.at("HMMA")) return a.at("HMMA") > b.at("HMMA");
  return a.at("FFMA") * std::max(1, b.at("total")) > b.at("FFMA") * std::max(1, a.at("total"));
}

}  // namespace

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

std::filesystem::path machine_code_file(const Chapter& chapter) {
  return stored_results(chapter) / "machine_code.json";
}

StoredMachineCode read_stored_machine_code() {
  StoredMachineCode all;
  for (const Chapter& chapter : chapters()) {
    const std::filesystem::path file = machine_code_file(chapter);
    if (chapter.name == sixteen || std::filesystem::exists(file)) all.codes.merge(read_stored_machine_code(file).codes);
  }
  return all;
}

StoredMachineCode read_stored_machine_code(const std::filesystem::path& file) {
  const JsonFile json(file, {"flash-steps/machine-code/2", "flash-steps/machine-code/1"});
  StoredMachineCode stored;
  for (const JsonNode& row : json.root()["rows"].elements()) {
    const auto text = [&](const char* key) { return row[key].get<std::string>(); };
    if (text("dtype") != name_of(Dtype::fp16)) continue;
    MachineCode code;
    code.function = {text("arch"), "", row["registers"].get<int>(), row["stack_bytes"].get<int>()};
    code.whole_kernel = read_counts(row["whole_kernel"]);
    code.main_loop = read_counts(row["main_loop"]);
    for (const std::string& access : row["global_accesses"].get_list<std::string>()) {
      code.global_accesses.insert(access);
    }
    const auto [known, is_new] = stored.codes.insert({{text("kernel"), text("config"), text("arch")}, code});
    if (!is_new && multiplies_more(code.main_loop, known->second.main_loop)) known->second = code;
  }
  return stored;
}

}  // namespace flash_steps
