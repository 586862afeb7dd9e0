#include "harness/sass/stored_lines.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/results/folder.h"
#include "harness/results/write.h"

namespace flash_steps {
namespace {

constexpr const char* schema = "flash-steps/machine-lines/1";

// Instructions from the same places share them: "places" has each once.
Json function_json(const FunctionLines& function) {
  std::vector<std::vector<int>> places;
  Json code = Json::array();
  for (const PlacedInstruction& instruction : function.instructions) {
    auto found = std::find(places.begin(), places.end(), instruction.lines);
    if (found == places.end()) found = places.insert(found, instruction.lines);
    code.push_back({found - places.begin(), instruction.text});
  }
  return {{"arch", function.arch},
          {"function", function.function},
          {"registers", function.registers},
          {"places", places},
          {"code", code}};
}

FunctionLines read_function(const JsonNode& node) {
  FunctionLines function{
      node["arch"].get<std::string>(), node["function"].get<std::string>(), node["registers"].get<int>(), {}};
  std::vector<std::vector<int>> places;
  for (const JsonNode& place : node["places"].elements()) places.push_back(place.get_list<int>());
  for (const JsonNode& instruction : node["code"].elements()) {
    const std::vector<JsonNode> parts = instruction.elements();
    if (parts.size() != 2) instruction.fail("is not a place and an instruction");
    const int place = parts[0].get<int>();
    if (place < 0 || place >= static_cast<int>(places.size())) parts[0].fail("is none of the places");
    function.instructions.push_back({places[place], parts[1].get<std::string>()});
  }
  return function;
}

}  // namespace

std::filesystem::path machine_lines_file(const std::string& kernel) {
  return stored_results() / "lines" / (kernel + ".json");
}

KernelLines read_machine_lines(const std::filesystem::path& file) {
  const JsonFile json(file, {schema});
  const JsonNode root = json.root();
  KernelLines lines;
  lines.kernel = root["kernel"].get<std::string>();
  lines.config = root["config"].get<std::string>();
  lines.code = root["code"][lines.kernel.c_str()].get<std::string>();
  lines.source = root["source"].get_list<std::string>();
  for (const JsonNode& function : root["functions"].elements()) lines.functions.push_back(read_function(function));
  return lines;
}

void write_machine_lines(const KernelLines& lines, const Meta& meta, const std::filesystem::path& file) {
  // A function a line: there are thousands of instructions.
  const std::string head = json_head(schema, meta) + "  \"kernel\": " + Json(lines.kernel).dump() +
                           ",\n  \"config\": " + Json(lines.config).dump() +
                           ",\n  \"code\": " + Json::object({{lines.kernel, lines.code}}).dump() +
                           ",\n  \"source\": " + Json(lines.source).dump() + ",\n  \"functions\": [\n";
  write_file(head + json_lines(lines.functions, function_json) + "  ]\n}\n", file);
}

}  // namespace flash_steps
