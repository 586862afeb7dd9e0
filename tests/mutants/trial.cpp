#include "mutants/trial.h"

#include <nlohmann/json.hpp>

#include "harness/base/process.h"

namespace flash_steps::mutants {
namespace {

constexpr const char* names[] = {"hazard", "wrong_result", "survived", "failed"};

Verdict verdict_of(const std::string& name) {
  for (const Verdict verdict : {Verdict::hazard, Verdict::wrong_result, Verdict::survived}) {
    if (name == name_of(verdict)) return verdict;
  }
  return Verdict::failed;
}

}  // namespace

const char* name_of(Verdict verdict) { return names[static_cast<int>(verdict)]; }

Trial try_apart(const std::filesystem::path& library, const std::string& registered_name) {
  const auto tried = run_process({FLASH_STEPS_TRY_MUTANT, library.string(), registered_name});
  Trial trial;
  if (!tried) {
    trial.report = std::string("there is no ") + FLASH_STEPS_TRY_MUTANT;
  } else if (tried->exit_code != 0) {
    trial.report = "try_mutant ended with " + std::to_string(tried->exit_code) +
                   (tried->exit_code > 128 ? ", 128 and the number of a signal: 14 is that it took too long" : "");
  } else {
    const auto json = nlohmann::json::parse(tried->output);
    trial = {verdict_of(json.at("verdict")), json.at("right_result"), json.at("config"), json.at("problem"),
             json.at("report")};
  }
  return trial;
}

nlohmann::json to_json(const Trial& trial) {
  return {{"verdict", name_of(trial.verdict)},
          {"right_result", trial.right_result},
          {"config", trial.config},
          {"problem", trial.problem},
          {"report", trial.report}};
}

}  // namespace flash_steps::mutants
