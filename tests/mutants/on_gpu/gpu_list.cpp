#include "mutants/on_gpu/gpu_list.h"

#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/results/write.h"

namespace flash_steps::mutants {
namespace {

constexpr const char* schema = "flash-steps/built-mutants/1";
constexpr const char* file_name = "list.json";

Json json_of(const BuiltMutant& mutant) {
  return {{"kernel", mutant.kernel},    {"code", mutant.code},     {"line", mutant.line},
          {"mistake", mutant.mistake},  {"before", mutant.before}, {"after", mutant.after},
          {"config", mutant.config},    {"name", mutant.name},     {"library", mutant.library},
          {"messages", mutant.messages}};
}

}  // namespace

void write_gpu_list(const std::vector<BuiltMutant>& mutants, const Meta& meta, const std::filesystem::path& folder) {
  write_file(json_head(schema, meta) + "  \"mutants\": [\n" + json_lines(mutants, json_of) + "  ]\n}\n",
             folder / file_name);
}

GpuList read_gpu_list(const std::filesystem::path& folder) {
  const JsonFile json(folder / file_name, {schema});
  const JsonNode meta = json.root()["meta"];
  GpuList list{meta["git"].get_or_null<std::string>(), meta["dirty"].get_or_null<bool>(), {}};
  for (const JsonNode& row : json.root()["mutants"].elements()) {
    const auto text = [&](const char* key) { return row[key].get<std::string>(); };
    list.mutants.push_back({text("kernel"), text("code"), text("mistake"), row["line"].get<int>(), text("before"),
                            text("after"), text("config"), text("name"), text("library"),
                            row["messages"].get_list<std::string>()});
  }
  return list;
}

}  // namespace flash_steps::mutants
