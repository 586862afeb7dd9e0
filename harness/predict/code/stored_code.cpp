#include "harness/predict/code/stored_code.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "harness/base/error.h"
#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/contract/module.h"
#include "harness/predict/code/compressed.h"
#include "harness/results/folder.h"
#include "harness/results/freshness.h"
#include "harness/results/write.h"
#include "harness/sass/cuobjdump.h"

namespace flash_steps {
namespace {

constexpr const char* sass_schema = "flash-steps/sass/1";

int64_t products_of(const StoredFunction& function) {
  const std::vector<EncodedInstruction> instructions = function.instructions();
  return std::count_if(instructions.begin(), instructions.end(), [](const EncodedInstruction& instruction) {
    return instruction.text.find("HMMA") != std::string::npos;
  });
}

// One listing has all functions of a kernel for one architecture.
class Listings {
 public:
  const EncodedFunction& find(const MachineCodeRow& row) {
    const std::pair key{row.kernel->name, row.code.function.arch};
    auto listing = listings_.find(key);
    if (listing == listings_.end()) {
      const std::string text =
          cuobjdump_.with_lines(module_file(row.kernel->name, Target::gpu), row.code.function.arch, true);
      listing = listings_.emplace(key, parse_encoded(text, row.kernel->name + ".cu")).first;
    }
    for (const EncodedFunction& function : listing->second) {
      if (function.symbol == row.code.function.symbol && !function.instructions.empty()) return function;
    }
    throw MachineError("nvdisasm prints no instructions of " + row.code.function.symbol + " for " +
                       row.code.function.arch + "; the one of this build's CUDA Toolkit or a newer one would");
  }

 private:
  Cuobjdump cuobjdump_;
  std::map<std::pair<std::string, std::string>, std::vector<EncodedFunction>> listings_;
};

}  // namespace

std::vector<EncodedInstruction> StoredFunction::instructions() const {
  try {
    return instructions_of(decompressed(compressed));
  } catch (const std::exception& error) {
    throw std::runtime_error("the stored instructions of " + kernel + " " + tile.config + " for " + arch + ": " +
                             error.what());
  }
}

const StoredFunction* StoredSass::find(const std::string& kernel, const std::string& config,
                                       const std::string& arch) const {
  const auto found = functions.find({kernel, config, arch});
  return found == functions.end() ? nullptr : &found->second;
}

std::vector<std::string> StoredSass::archs() const {
  std::set<std::string> archs;
  for (const auto& [key, function] : functions) archs.insert(std::get<2>(key));
  return {archs.begin(), archs.end()};
}

std::filesystem::path stored_code_file(const Chapter& of) { return stored_results(of) / "sass.json"; }

StoredSass stored_code_of(const std::vector<StoredFunction>& functions, const std::filesystem::path& file) {
  StoredSass stored{file, {}};
  for (const StoredFunction& function : functions) {
    const auto [known, is_new] =
        stored.functions.insert({{function.kernel, function.tile.config, function.arch}, function});
    if (!is_new && products_of(function) > products_of(known->second)) known->second = function;
  }
  return stored;
}

StoredSass read_stored_code(const std::filesystem::path& file) {
  const JsonFile json(file, {sass_schema});
  std::vector<StoredFunction> functions;
  for (const JsonNode& row : json.root()["rows"].elements()) {
    const auto text = [&](const char* key) { return row[key].get<std::string>(); };
    const auto number = [&](const char* key) { return row[key].get<int>(); };
    const TileShape tile{text("config"), number("tile_rows"), number("tile_cols"), number("threads"),
                         number("smem_bytes")};
    functions.push_back({text("kernel"), tile, text("arch"), text("code"), number("registers"), text("instructions")});
  }
  return stored_code_of(functions, file);
}

StoredSass read_stored_code() {
  StoredSass all{stored_results(), {}};
  for (const Chapter& chapter : chapters()) {
    const std::filesystem::path file = stored_code_file(chapter);
    if (chapter.name == sixteen || std::filesystem::exists(file)) all.functions.merge(read_stored_code(file).functions);
  }
  return all;
}

std::vector<StoredFunction> read_encoded(const std::vector<MachineCodeRow>& rows) {
  Listings listings;
  std::vector<StoredFunction> functions;
  for (const MachineCodeRow& row : rows) {
    functions.push_back({row.kernel->name, row.variant->tile, row.code.function.arch, code_hash(*row.kernel),
                         row.code.function.registers, compressed(text_of(listings.find(row).instructions))});
  }
  return functions;
}

void write_stored_code(const std::vector<StoredFunction>& functions, const Meta& meta,
                       const std::filesystem::path& file) {
  const auto row_json = [](const StoredFunction& function) -> Json {
    const TileShape& tile = function.tile;
    return {{"kernel", function.kernel},       {"config", tile.config},
            {"tile_rows", tile.tile_rows},     {"tile_cols", tile.tile_cols},
            {"threads", tile.threads},         {"smem_bytes", tile.smem_bytes},
            {"arch", function.arch},           {"code", function.code},
            {"registers", function.registers}, {"instructions", function.compressed}};
  };
  write_file(json_head(sass_schema, meta) + "  \"rows\": [\n" + json_lines(functions, row_json) + "  ]\n}\n", file);
}

}  // namespace flash_steps
