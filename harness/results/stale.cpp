#include "harness/results/stale.h"

#include <algorithm>
#include <map>
#include <set>

#include "harness/base/json.h"
#include "harness/base/text.h"
#include "harness/contract/registry.h"
#include "harness/results/freshness.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

// What a file says of the code that it was made of: by kernel, and none where it does not say.
using Codes = std::map<std::string, std::set<std::string>>;

Codes codes_of(const JsonNode& root) {
  Codes codes;
  for (const std::string& key : root.keys()) {
    if (!root[key.c_str()].is_list()) continue;
    for (const JsonNode& row : root[key.c_str()].elements()) {
      if (!row.is_object() || !row.has("kernel")) continue;
      std::set<std::string>& of_kernel = codes[row["kernel"].get<std::string>()];
      if (row.has("code")) of_kernel.insert(row["code"].get<std::string>());
    }
  }
  if (!root.has("code")) return codes;
  for (const std::string& kernel : root["code"].keys())
    codes[kernel] = {root["code"][kernel.c_str()].get<std::string>()};
  return codes;
}

// scripts/shares.sh measures copies of steps that hold one of their ideas, which no folder keeps: v90_… on.
bool is_of_a_script(const std::string& kernel) { return kernel.starts_with("v9"); }

std::string listed(const std::set<std::string>& kernels, size_t all) {
  if (kernels.size() == all && all > 1) return "all " + std::to_string(all) + " kernels";
  return join({kernels.begin(), kernels.end()});
}

std::vector<std::string> doubts_of_commit(const JsonNode& root) {
  if (!root.has("meta") || !root["meta"].has("git") || root["meta"]["git"].is_null()) {
    return {"it does not say of which commit it is"};
  }
  if (root["meta"]["dirty"].get_or_null<bool>().value_or(true)) return {"the tree had changes that are in no commit"};
  return {};
}

std::vector<std::string> doubts_of_code(const Codes& codes) {
  std::vector<std::string> reasons;
  std::set<std::string> gone, changed, unknown;
  for (const auto& [name, of_kernel] : codes) {
    const Kernel* const kernel = find_kernel(name);
    if (kernel == nullptr) {
      if (!is_of_a_script(name)) gone.insert(name);
    } else if (of_kernel.empty() || of_kernel.contains("")) {
      unknown.insert(name);
    } else if (of_kernel != std::set{code_hash(*kernel)}) {
      changed.insert(name);
    }
  }
  if (!gone.empty()) reasons.push_back("there is no such kernel any more: " + listed(gone, codes.size()));
  if (!changed.empty()) reasons.push_back("the code has changed since: " + listed(changed, codes.size()));
  if (!unknown.empty()) reasons.push_back("it does not say of which code it is: " + listed(unknown, codes.size()));
  return reasons;
}

// The program as it is typed in the project's folder, and the rest as it was.
std::string command_of(const JsonNode& root) {
  if (!root.has("meta") || !root["meta"].has("argv")) return "";
  std::vector<std::string> words = root["meta"]["argv"].get_list<std::string>();
  if (words.empty()) return "";
  const fs::path program = words.front();
  if (program.filename() == "runner") words.front() = "./runner";
  return join(words, " ");
}

}  // namespace

std::vector<StaleFile> stale_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<StaleFile> stale;
  for (const fs::path& file : files) {
    const std::string schema = schema_of(file);
    if (!schema.starts_with("flash-steps/")) continue;
    const JsonFile json(file, {schema});
    const auto codes = codes_of(json.root());
    if (codes.empty()) continue;
    std::vector<std::string> reasons = doubts_of_commit(json.root());
    const std::vector<std::string> of_code = doubts_of_code(codes);
    reasons.insert(reasons.end(), of_code.begin(), of_code.end());
    if (!reasons.empty()) stale.push_back({file, reasons, of_code.empty(), command_of(json.root())});
  }
  return stale;
}

}  // namespace flash_steps
