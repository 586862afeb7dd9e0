#include <algorithm>
#include <regex>
#include <stdexcept>

#include "harness/base/json.h"
#include "harness/base/text.h"
#include "harness/pages/tables/checks/mutants.h"
#include "harness/pages/tables/markdown.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

constexpr const char* schema = "flash-steps/gpu-mutants/1";

// Files that were made before a mutant had a process of its own have counts alone.
void read_what_is_new(const JsonNode& row, GpuMutant& mutant) {
  const bool any_wrong =
      std::any_of(mutant.lengths.begin(), mutant.lengths.end(), [](const auto& l) { return l.wrong > 0; });
  mutant.outcome = row.has("outcome") ? row["outcome"].get<std::string>() : any_wrong ? "wrong" : "right";
  if (row.has("after")) mutant.after = row["after"].get<std::string>();
  if (row.has("error")) mutant.error = row["error"].get<std::string>();
  if (row.has("ptxas")) mutant.ptxas = row["ptxas"].get_list<std::string>();
}

// "`wgmma_fence();` gone", or what stands there instead.
std::string change(const MutantOutcome& emulated) {
  const auto code = [](const std::string& line) {
    std::string text = trimmed(line.substr(0, line.find("//")));
    for (size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) text.insert(at, 1, '\\');
    return "`" + text + "`";
  };
  const std::string after = code(emulated.after);
  return after == "`;`" ? code(emulated.before) + " gone" : after;
}

std::string of_emulator(const MutantOutcome& emulated) {
  if (emulated.verdict == "survived") return "equivalent";
  if (emulated.verdict == "wrong_result") return "wrong output";
  const std::string what = emulated.report.find("deadlock:") != std::string::npos ? "deadlock" : "hazard";
  return what + (emulated.right_result ? ", output right" : "");
}

// The code of a message of ptxas; one without a code is "says more".
std::string code_of(const std::string& message) {
  static const std::regex code("^(C[0-9]+|error): .*");
  std::smatch match;
  if (!std::regex_match(message, match, code)) return "says more";
  return match[1] == "error" ? "refuses it" : match[1].str();
}

std::string of_ptxas(const GpuMutant& mutant) {
  std::vector<std::string> codes;
  for (const std::string& message : mutant.ptxas) {
    const std::string code = code_of(message);
    if (std::find(codes.begin(), codes.end(), code) == codes.end()) codes.push_back(code);
  }
  return codes.empty() ? nothing : join(codes);
}

std::string of_gpu(const GpuMutant& mutant) {
  int launches = 0;
  int wrong = 0;
  for (const GpuMutant::Length& length : mutant.lengths) {
    launches += length.launches;
    wrong += length.wrong;
  }
  const std::string before =
      launches == 0 ? "" : ", " + std::to_string(wrong) + " of " + std::to_string(launches) + " before wrong";
  static const std::regex name(".*\\((cudaError[A-Za-z]+)\\).*");
  std::smatch match;
  if (mutant.outcome == "right") return "right in " + std::to_string(launches);
  if (mutant.outcome == "wrong") return "wrong in " + std::to_string(wrong) + " of " + std::to_string(launches);
  if (mutant.outcome == "error") {
    return (std::regex_match(mutant.error, match, name) ? match[1].str() : mutant.error) + before;
  }
  return mutant.outcome == "refused" ? nothing : mutant.outcome + before;
}

const MutantOutcome& emulated(const GpuMutant& mutant, const std::vector<MutantOutcome>& all) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const MutantOutcome& outcome) {
    return outcome.kernel == mutant.kernel && outcome.mistake == mutant.mistake && outcome.line == mutant.line &&
           outcome.after == mutant.after;
  });
  if (found != all.end()) return *found;
  throw std::runtime_error("gpu_mutants.json has a mutant that mutants.json has not: " + mutant.mistake + " in line " +
                           std::to_string(mutant.line) + " of " + mutant.kernel);
}

std::string summary(const std::vector<GpuMutant>& mutants, const std::string& device) {
  const auto count = [&](const auto& is) {
    return std::to_string(
        std::count_if(mutants.begin(), mutants.end(), [&](const GpuMutant& m) { return !m.mistake.empty() && is(m); }));
  };
  const auto with = [&](const char* outcome) {
    return count([&](const GpuMutant& m) { return m.outcome == outcome; });
  };
  return "Of " + count([](const GpuMutant&) { return true; }) + " mutants ptxas refuses " + with("refused") +
         " and says something of " +
         count([](const GpuMutant& m) { return m.outcome != "refused" && !m.ptxas.empty(); }) + " others; an " +
         device + " shows " + with("wrong") + " by a wrong output, " + with("hung") +
         " by a launch that does not end and " + with("error") + " by an error, and is right in all launches of " +
         with("right") + ".\n";
}

std::string messages(const std::vector<GpuMutant>& mutants) {
  std::vector<std::string> all;
  for (const GpuMutant& mutant : mutants) all.insert(all.end(), mutant.ptxas.begin(), mutant.ptxas.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  std::string text;
  for (const std::string& message : all)
    text += (text.empty() ? "\nWhat ptxas says:\n\n" : "") + ("* " + message) + "\n";
  return text;
}

}  // namespace

std::vector<GpuMutant> read_gpu_mutants(const fs::path& file) {
  const JsonFile json(file, {schema});
  std::vector<GpuMutant> mutants;
  for (const JsonNode& row : json.root()["mutants"].elements()) {
    GpuMutant mutant;
    mutant.kernel = row["kernel"].get<std::string>();
    if (row.has("mistake")) {
      mutant.mistake = row["mistake"].get<std::string>();
      mutant.line = row["line"].get<int>();
    }
    for (const JsonNode& length : row["lengths"].elements()) {
      mutant.lengths.push_back(
          {length["seqlen"].get<int>(), length["launches"].get<int>(), length["wrong"].get<int>()});
    }
    read_what_is_new(row, mutant);
    mutants.push_back(mutant);
  }
  if (mutants.empty()) throw std::runtime_error(file.string() + ": mutants is empty");
  return mutants;
}

std::string render_gpu_mutants(const std::vector<GpuMutant>& mutants) {
  std::vector<std::string> head = {"kernel", "mistake", "line"};
  const std::vector<GpuMutant::Length>& lengths = mutants.front().lengths;  // of the kernel as it is: all of them
  for (const GpuMutant::Length& length : lengths) head.push_back("seqlen " + std::to_string(length.seqlen));
  std::string text = markdown_head(head, 2);
  for (const GpuMutant& mutant : mutants) {
    const bool as_it_is = mutant.mistake.empty();
    std::vector<std::string> cells = {mutant.kernel, as_it_is ? "none" : mutant.mistake,
                                      as_it_is ? "" : std::to_string(mutant.line)};
    for (const GpuMutant::Length& length : mutant.lengths) cells.push_back(std::to_string(length.wrong));
    while (cells.size() < head.size()) cells.push_back(mutant.outcome);
    text += markdown_row(cells);
  }
  return text;
}

std::string render_mutants_on_both(const fs::path& results) {
  const fs::path file = results / "gpu_mutants.json";
  if (!fs::exists(file)) return "They have not been run on a GPU yet.\n";
  const std::vector<GpuMutant> mutants = read_gpu_mutants(file);
  const std::vector<MutantOutcome> outcomes = read_mutants(results / "mutants.json");
  const std::string device = JsonFile(file, {schema}).root()["device"].get<std::string>();
  std::string text = markdown_head({"mistake", "line", "what became of it", "emulator", "ptxas", "GPU"}, 6);
  for (const GpuMutant& mutant : mutants) {
    if (mutant.mistake.empty()) {
      text += markdown_row({"none", "", mutant.kernel + " as it is", "right", of_ptxas(mutant), of_gpu(mutant)});
      continue;
    }
    const MutantOutcome& outcome = emulated(mutant, outcomes);
    text += markdown_row({mutant.mistake, std::to_string(mutant.line), change(outcome), of_emulator(outcome),
                          of_ptxas(mutant), of_gpu(mutant)});
  }
  return text + "\n" + summary(mutants, device) + messages(mutants);
}

}  // namespace flash_steps
