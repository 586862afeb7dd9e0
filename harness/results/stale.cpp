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

// What a file says of the code that it was made of: by kernel, and empty where it does not say.
std::map<std::string, std::string> codes_of(const JsonNode& root) {
  std::map<std::string, std::string> codes;
  for (const std::string& key : root.keys()) {
    if (!root[key.c_str()].is_list()) continue;
    for (const JsonNode& row : root[key.c_str()].elements()) {
      if (!row.is_object() || !row.has("kernel")) continue;
      std::string& code = codes[row["kernel"].get<std::string>()];
      if (row.has("code")) code = row["code"].get<std::string>();
    }
  }
  if (!root.has("code")) return codes;
  for (const std::string& kernel : root["code"].keys()) codes[kernel] = root["code"][kernel.c_str()].get<std::string>();
  return codes;
}

// scripts/shares.sh measures copies of steps that hold one of their ideas, which no folder keeps: v90_… on.
bool is_of_a_script(const std::string& kernel) { return kernel.starts_with("v9"); }

std::string listed(const std::set<std::string>& kernels, size_t all) {
  if (kernels.size() == all && all > 1) return "all " + std::to_string(all) + " kernels";
  return join({kernels.begin(), kernels.end()});
}

std::vector<std::string> reasons_of(const JsonNode& root, const std::map<std::string, std::string>& codes) {
  std::vector<std::string> reasons;
  if (!root.has("meta") || !root["meta"].has("git") || root["meta"]["git"].is_null()) {
    reasons.push_back("it does not say of which commit it is");
  } else if (root["meta"]["dirty"].get_or_null<bool>().value_or(true)) {
    reasons.push_back("the tree had changes that are in no commit");
  }
  std::set<std::string> gone, changed, unknown;
  for (const auto& [name, code] : codes) {
    const Kernel* const kernel = find_kernel(name);
    if (kernel == nullptr) {
      if (!is_of_a_script(name)) gone.insert(name);
    } else if (code.empty()) {
      unknown.insert(name);
    } else if (code != code_hash(*kernel)) {
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
    const std::vector<std::string> reasons = reasons_of(json.root(), codes);
    if (!reasons.empty()) stale.push_back({file, reasons, command_of(json.root())});
  }
  return stale;
}

}  // namespace flash_steps
