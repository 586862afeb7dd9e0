#include "harness/results/kernel_list.h"

#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/results/freshness.h"
#include "harness/results/write.h"

namespace flash_steps {

void write_kernel_list(const std::vector<const Kernel*>& kernels, const Meta& meta, const std::filesystem::path& file) {
  Json list = Json::array();
  for (const Kernel* kernel : kernels) {
    list.push_back({{"name", kernel->name},
                    {"label", kernel->label()},
                    {"chapter", kernel->chapter->name},
                    {"configs", configs_of(*kernel)},
                    {"code", code_hash(*kernel)}});
  }
  const Json json = {
      {"schema", "flash-steps/kernel-list/1"}, {"meta", Json::parse(to_json_text(meta))}, {"kernels", list}};
  write_file(text_of(json, 2) + "\n", file);
}

}  // namespace flash_steps
