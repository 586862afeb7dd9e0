#include "harness/site/step/facts.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/base/json.h"

namespace flash_steps {

std::map<int, LineSum> sums_of(const CountedLines& counted) {
  std::map<int, LineSum> sums;
  for (const LineCounters& line : counted.lines) {
    LineSum& sum = sums[line.line];
    sum.instructions += line.instructions;
    sum.wavefronts += line.wavefronts;
    sum.ideal_wavefronts += line.ideal_wavefronts;
    sum.sectors += line.sectors;
  }
  return sums;
}

std::string line_facts(const Kernel& kernel, const std::vector<std::string>& source, const SiteData& data,
                       const std::vector<std::string>& archs) {
  Json lines = Json::object();
  const auto counted = data.counted.find(kernel.name);
  if (counted != data.counted.end()) {
    for (const LineCounters& line : counted->second.lines) {
      lines[std::to_string(line.line)].push_back(
          {line.word, line.instructions, line.wavefronts, line.ideal_wavefronts, line.sectors});
    }
  }
  Json words = Json::object();
  for (const std::string& line : source) {
    for (const std::string& name : names_in(line)) {
      const auto word = data.words.find(name);
      if (word != data.words.end()) words[name] = {word->second.text, word->second.file, word->second.line};
    }
  }
  return text_of(Json{{"kernel", kernel.name}, {"archs", archs}, {"lines", lines}, {"words", words}}, -1);
}

std::vector<int> lines_today(const std::vector<std::string>& then, const std::vector<std::string>& today,
                             const TextTools& tools) {
  std::vector<int> lines(then.size() + 1);
  size_t at_then = 0;
  int at_today = 0;
  for (const Edit& edit : tools.difference(then, today)) {
    if (edit.kind != Edit::Kind::added) at_then++;
    if (edit.kind != Edit::Kind::removed) at_today++;
    if (edit.kind == Edit::Kind::same) lines[at_then] = at_today;
  }
  return lines;
}

std::string machine_code_script(const KernelLines& lines, const std::string& arch, const std::vector<int>& today) {
  Json functions = Json::array();
  for (const FunctionLines& function : lines.functions) {
    if (function.arch != arch) continue;
    std::vector<std::vector<int>> places;
    Json code = Json::array();
    for (const PlacedInstruction& instruction : function.instructions) {
      std::vector<int> place;
      for (const int line : instruction.lines) {
        const int now = line < static_cast<int>(today.size()) ? today[line] : 0;
        if (now != 0) place.push_back(now);
      }
      auto found = std::find(places.begin(), places.end(), place);
      if (found == places.end()) found = places.insert(found, place);
      code.push_back(found - places.begin());
      code.push_back(instruction.text);
    }
    functions.push_back({{"name", function.function},
                         {"registers", function.registers},
                         {"config", lines.config},
                         {"places", places},
                         {"code", code}});
  }
  return "machineCode(" + text_of(Json{{"arch", arch}, {"functions", functions}}, -1) + ");\n";
}

}  // namespace flash_steps
