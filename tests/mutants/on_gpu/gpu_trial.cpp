#include "mutants/on_gpu/gpu_trial.h"

#include <csignal>
#include <nlohmann/json.hpp>

#include "harness/base/error.h"
#include "harness/base/text.h"

namespace flash_steps::mutants {
namespace {

constexpr const char* names[] = {"right", "wrong", "hung", "error", "refused", "failed"};

Json json_of(const GpuCount& count) {
  return {{"batch", count.batch},
          {"heads", count.heads},
          {"seqlen", count.seqlen},
          {"launches", count.launches},
          {"wrong", count.wrong}};
}

// A line that is no JSON is none of ours: what is loaded may print, too, and a process may end in the middle of a line.
void read_line(const std::string& line, GpuTrial& trial) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return;
  if (json.contains("device")) {
    trial.device = json.at("device");
    trial.driver = json.at("driver");
  } else if (json.contains("error")) {
    trial.error = json.at("error");
    trial.outcome = GpuOutcome::error;
  } else if (json.contains("seqlen")) {
    trial.counts.push_back(
        {json.at("batch"), json.at("heads"), json.at("seqlen"), json.at("launches"), json.at("wrong")});
  }
}

}  // namespace

const char* name_of(GpuOutcome outcome) { return names[static_cast<int>(outcome)]; }

int GpuTrial::launches() const {
  int sum = 0;
  for (const GpuCount& count : counts) sum += count.launches;
  return sum;
}

int GpuTrial::wrong() const {
  int sum = 0;
  for (const GpuCount& count : counts) sum += count.wrong;
  return sum;
}

std::string line_of_device(const std::string& name, const std::string& driver) {
  return Json{{"device", name}, {"driver", driver}}.dump();
}

std::string line_of_count(const GpuCount& count) { return json_of(count).dump(); }

std::string line_of_error(const std::string& error) { return text_of(Json{{"error", error}}, -1); }

GpuTrial read_gpu_trial(const ProcessResult& ended) {
  GpuTrial trial;
  for (const std::string& line : split(ended.output, '\n')) read_line(line, trial);
  if (ended.exit_code == 128 + SIGALRM) {
    trial.outcome = GpuOutcome::hung;
  } else if (ended.exit_code != 0) {
    trial.outcome = GpuOutcome::failed;
    trial.error = ended.errors.empty() ? "it ended with " + std::to_string(ended.exit_code)
                                       : ended.errors.substr(0, ended.errors.find('\n'));
  } else if (trial.outcome != GpuOutcome::error && !trial.counts.empty()) {
    trial.outcome = trial.wrong() == 0 ? GpuOutcome::right : GpuOutcome::wrong;
  }
  return trial;
}

GpuTrial try_apart_for(int seconds, std::vector<std::string> argv) {
  const std::vector<std::string> limit = {"timeout", "--signal=KILL", std::to_string(seconds)};
  argv.insert(argv.begin(), limit.begin(), limit.end());
  const auto ended = run_process(argv);
  if (!ended) throw MachineError("there is no program timeout, which ends mutants that hang; coreutils has it");
  GpuTrial trial = read_gpu_trial(*ended);
  if (ended->exit_code == 128 + SIGKILL) trial.error = "it did not end within " + std::to_string(seconds) + " s";
  return trial;
}

Json row_of_gpu_mutant(const BuiltMutant& mutant, const GpuTrial& trial) {
  Json row = {{"kernel", mutant.kernel}, {"code", mutant.code}};
  if (!mutant.is_control()) row.update({{"line", mutant.line}, {"mistake", mutant.mistake}, {"after", mutant.after}});
  row.update({{"config", mutant.config},
              {"outcome", name_of(trial.outcome)},
              {"launches", trial.launches()},
              {"wrong", trial.wrong()},
              {"lengths", Json::array()}});
  for (const GpuCount& count : trial.counts) row["lengths"].push_back(json_of(count));
  if (!trial.error.empty()) row["error"] = trial.error;
  row["ptxas"] = mutant.messages;
  return row;
}

}  // namespace flash_steps::mutants
