// try_mutant LIBRARY NAME: loads the mutants of one kernel, tries one of them, and prints a line of JSON.
//
// A program of its own, because a mutant may crash or run for ever, and because the registry holds one kernel of a
// number.
#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/base/text.h"
#include "harness/console/report.h"
#include "harness/contract/registry.h"
#include "harness/machine/backend.h"
#include "harness/truth/validate.h"
#include "mutants/translation_unit.h"
#include "mutants/trial.h"

namespace flash_steps::mutants {
namespace {

constexpr unsigned most_seconds = 300;
constexpr double most_flops = 150e6;  // a second on the emulator: no mistake needs more to be seen

struct Case {
  const Variant* variant;
  int config_number;
  Problem problem;
};

// Two steps of seqlen show most mistakes; three make an odd number of KV blocks, one has no second block, and large
// logits show a softmax whose exponents are not held down.
std::vector<Case> cases_of(const Kernel& kernel) {
  constexpr std::pair<int, InputDistribution> shapes[] = {{2, InputDistribution::normal},
                                                          {3, InputDistribution::large},
                                                          {1, InputDistribution::onehot},
                                                          {5, InputDistribution::uniform}};
  std::vector<Case> cases;
  int config_number = 0;
  for (const Variant& variant : kernel.emulator) {
    if (variant.dtype != Dtype::fp16) continue;
    for (const auto& [steps, inputs] : shapes) {
      Problem problem;
      problem.heads = std::max(variant.tile.heads, 1);
      problem.seqlen = steps * seqlen_step(variant.tile);
      problem.inputs = inputs;
      if (problem.flops() <= most_flops) cases.push_back({&variant, config_number, problem});
    }
    config_number++;
  }
  // One head first, in the order of the configs: it is the least work.
  std::stable_sort(cases.begin(), cases.end(),
                   [](const Case& a, const Case& b) { return a.problem.heads < b.problem.heads; });
  return cases;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string first_sentence(const std::string& text) { return text.substr(0, text.find(". ")); }

Trial try_case(Backend& backend, const Case& tried, const std::string& name) {
  backend.load(tried.problem, true);
  const OutputErrors errors = backend.check(*tried.variant);
  const auto verdict = judge(errors, tried.problem.dtype);
  const std::vector<std::string> hazards = backend.observation()->hazards;
  Trial trial{Verdict::survived, verdict.passed, "", 0, "", ""};
  if (hazards.empty() && verdict.passed) return trial;

  trial.config = tried.variant->tile.config;
  trial.config_number = tried.config_number;
  trial.problem = describe(tried.problem);
  if (!hazards.empty()) {
    trial.verdict = Verdict::hazard;
    trial.report = first_sentence(replaced(hazards.front(), name, kernel_of(name)));
  } else {
    trial.verdict = Verdict::wrong_result;
    trial.report = "largest error " + significant(errors.max_abs, 3) + " (tolerance " +
                   significant(verdict.tolerance, 3) + "), rms " + significant(errors.rms, 3) + " (tolerance " +
                   significant(verdict.rms_tolerance, 3) + ")";
  }
  return trial;
}

// Until it is killed.
Trial try_mutant(const std::filesystem::path& library, const std::string& registered_name) {
  if (dlopen(library.c_str(), RTLD_NOW) == nullptr) throw std::runtime_error(dlerror());
  const auto kernel = std::find_if(kernels().begin(), kernels().end(),
                                   [&](const Kernel& candidate) { return candidate.name == registered_name; });
  if (kernel == kernels().end()) throw std::runtime_error(library.string() + " has no " + registered_name);

  const auto backend = make_emulator(1);  // the mutants are spread over the cores, not their CTAs
  Trial trial;
  for (const Case& tried : cases_of(*kernel)) {
    trial = try_case(*backend, tried, registered_name);
    if (trial.verdict != Verdict::survived) break;
  }
  return trial;
}

}  // namespace
}  // namespace flash_steps::mutants

int main(int argc, char** argv) {
  using namespace flash_steps::mutants;
  if (argc != 3) {
    std::cerr << "try_mutant takes a library of mutants and the name of one; the program mutants calls it\n";
    return 2;
  }
  alarm(most_seconds);
  Trial trial;
  try {
    trial = try_mutant(argv[1], argv[2]);
  } catch (const std::exception& error) {
    trial.report = error.what();
  }
  std::cout << to_json(trial).dump() << "\n";
}
