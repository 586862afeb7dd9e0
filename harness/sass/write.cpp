#include "harness/sass/write.h"

#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/results/freshness.h"
#include "harness/results/write.h"

namespace flash_steps {
namespace {

Json counts_json(const InstructionCounts& counts) {
  Json json = Json::object();
  for (const std::string& name : counted_names()) json[name] = counts.at(name);
  return json;
}

Json row_json(const MachineCodeRow& row) {
  const MachineCode& code = row.code;
  return {{"kernel", row.kernel->name},
          {"config", row.variant->tile.config},
          {"dtype", name_of(row.variant->dtype)},
          {"arch", code.function.arch},
          {"function", row.function},
          {"code", code_hash(*row.kernel)},
          {"registers", code.function.registers},
          {"stack_bytes", code.function.stack_bytes},
          {"whole_kernel", counts_json(code.whole_kernel)},
          {"main_loop", counts_json(code.main_loop)},
          {"global_accesses", code.global_accesses}};
}

}  // namespace

void write_machine_code(const std::vector<MachineCodeRow>& rows, const Meta& meta, const std::filesystem::path& file) {
  write_file(
      json_head("flash-steps/machine-code/2", meta) + "  \"rows\": [\n" + json_lines(rows, row_json) + "  ]\n}\n",
      file);
}

}  // namespace flash_steps
