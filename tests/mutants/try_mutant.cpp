// try_mutant LIBRARY NAME: loads the mutants of one kernel, tries one of them, and prints a line of JSON.
//
// A program of its own, because a mutant may crash or run for ever.
#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "harness/base/text.h"
#include "harness/contract/coverage.h"
#include "harness/contract/module.h"
#include "harness/machine/machine.h"
#include "mutants/translation_unit.h"
#include "mutants/trial.h"
#include "tests/support/far_launch.h"

namespace flash_steps::mutants {
namespace {

constexpr unsigned most_seconds = 300;
constexpr double most_flops = 220e6;  // a second on the emulator: no mistake needs more to be seen

struct Case {
  const Variant* variant;
  Problem problem;
};

// What tells a mutant from the kernel.
struct Shape {
  int steps;  // of seqlen
  int batch, heads;
  InputDistribution inputs;
};

// Two steps of seqlen show most mistakes; three make an odd number of KV blocks, one has no second block, large logits
// show a softmax whose exponents are not held down, those that are all negative or all positive one whose maximum is
// another, and maxima that creep up one that lags behind too far. Several sequences and heads show offsets.
constexpr Shape shapes[] = {{2, 1, 1, InputDistribution::normal},   {3, 1, 1, InputDistribution::large},
                            {1, 1, 1, InputDistribution::onehot},   {2, 1, 1, InputDistribution::negative},
                            {2, 1, 1, InputDistribution::positive}, {2, 2, 3, InputDistribution::normal},
                            {5, 1, 1, InputDistribution::uniform},  {3, 1, 1, InputDistribution::creeping}};

// What only some variants cover: sequences of different lengths, some without a key or a query, and weights that are
// dropped.
void add_packed(std::vector<Problem>& problems, const Variant& variant) {
  if (!variant.coverage.packed) return;
  const int rows = variant.tile.tile_rows;
  const int cols = variant.tile.tile_cols;
  for (const auto& [queries, keys, padding] :
       {std::tuple{rows + 20, 0, 40}, std::tuple{rows, 2 * cols, cols}, std::tuple{30, 5, 5}, std::tuple{5, 30, 5}}) {
    for (const Mask mask : variant.coverage.masks) {
      Problem problem{.batch = 4, .seqlen = queries, .seqlen_kv = keys, .mask = mask};
      problem.padding = padding;
      problems.push_back(problem);
    }
  }
}

// Of a variant that covers more than the sixteen: tiles that are not full, more queries than keys and fewer, a mask,
// and heads that share one of keys.
std::vector<Problem> odd_problems(const Variant& variant) {
  std::vector<Problem> problems;
  if (!variant.coverage.any_length) return problems;
  const int rows = variant.tile.tile_rows;
  const int cols = variant.tile.tile_cols;
  const std::pair<int, int> lengths[] = {{rows + 5, cols + 3}, {2 * rows, cols - 1}, {rows - 1, 3 * cols + 1}};
  for (const Mask mask : variant.coverage.masks) {
    for (const auto& [queries, keys] : lengths) {
      for (const InputDistribution inputs : {InputDistribution::normal, InputDistribution::negative}) {
        Problem problem{.batch = 2, .seqlen = queries, .inputs = inputs, .seqlen_kv = keys, .mask = mask};
        if (variant.coverage.grouped_heads) problem.kv_heads = std::exchange(problem.heads, 2);
        problems.push_back(problem);
      }
    }
  }
  add_packed(problems, variant);
  for (Problem& problem : problems) {
    if (!variant.coverage.dropout) continue;
    problem.dropout = 0.3;
    problem.dropout_offset = 0xfffffff0;  // where a counter carries beyond 32 bits
  }
  return problems;
}

std::vector<Case> cases_of(const std::vector<Variant>& variants) {
  std::vector<Case> cases;
  for (const Variant& variant : variants) {
    if (variant.dtype != Dtype::fp16) continue;
    for (const auto& [steps, batch, heads, inputs] : shapes) {
      Problem problem;
      problem.batch = batch;
      problem.heads = variant.tile.heads != 0 ? variant.tile.heads : heads;
      problem.seqlen = steps * seqlen_step(variant.tile);
      problem.inputs = inputs;
      problem.head_dim = variant.coverage.head_dims.front();
      problem.pass = variant.coverage.passes.front();
      if (problem.flops() <= most_flops) cases.push_back({&variant, problem});
    }
    for (Problem& problem : odd_problems(variant)) {
      problem.head_dim = variant.coverage.head_dims.front();
      problem.pass = variant.coverage.passes.front();
      cases.push_back({&variant, problem});
    }
  }
  // The least work first, in the order of the configs.
  std::stable_sort(cases.begin(), cases.end(), [](const Case& a, const Case& b) {
    return a.problem.batch * a.problem.heads < b.problem.batch * b.problem.heads;
  });
  return cases;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string first_sentence(const std::string& text) { return text.substr(0, text.find(". ")); }

// `name` is what the kernel was registered as.
Trial judged(const OutputErrors& errors, const std::vector<std::string>& hazards, const std::string& name) {
  const Judgement judgement = judge(errors, Dtype::fp16);
  Trial trial{Verdict::survived, judgement.right, "", "", ""};
  if (!hazards.empty()) {
    trial.verdict = Verdict::hazard;
    trial.report = first_sentence(replaced(hazards.front(), name, kernel_of(name)));
  } else if (!judgement.right) {
    trial.verdict = Verdict::wrong_result;
    trial.report = "largest error " + significant(errors.max_abs, 3) + " (tolerance " +
                   significant(judgement.tolerance, 3) + "), rms " + significant(errors.rms, 3) + " (tolerance " +
                   significant(judgement.rms_tolerance, 3) + ")";
  }
  return trial;
}

Trial try_near(const std::vector<Variant>& variants, const std::string& name) {
  const auto machine = make_emulator(1);  // the mutants are spread over the cores, not their CTAs
  for (const auto& [variant, problem] : cases_of(variants)) {
    machine->load(problem, true);
    const OutputErrors errors = machine->check(*variant);
    Trial trial = judged(errors, machine->observer()->observation().hazards, name);
    if (trial.verdict == Verdict::survived) continue;
    trial.config = variant->tile.config;
    trial.problem = describe(problem);
    return trial;
  }
  return {Verdict::survived, true, "", "", ""};
}

// Offsets that do not fit into 32 bits.
Trial try_far(const std::vector<Variant>& variants, const std::string& name) {
  const auto variant = std::find_if(variants.begin(), variants.end(),
                                    [](const Variant& v) { return v.dtype == Dtype::fp16 && covers_far(v); });
  if (variant == variants.end()) return {Verdict::survived, true, "", "", ""};
  const auto result = run_far(*variant);
  if (!result) throw std::runtime_error("this machine does not lend the addresses of tensors of 4 GiB");
  Trial trial = judged(result->errors, result->hazards, name);
  if (trial.verdict != Verdict::survived) {
    trial.config = variant->tile.config;
    trial.problem = describe_far(*variant);
  }
  return trial;
}

// Until it is killed.
Trial try_mutant(const std::filesystem::path& library, const std::string& registered_name) {
  if (dlopen(library.c_str(), RTLD_NOW) == nullptr) throw std::runtime_error(dlerror());
  const std::vector<Registered>& all = registrations();
  const auto mutant =
      std::find_if(all.begin(), all.end(), [&](const Registered& r) { return r.name == registered_name; });
  if (mutant == all.end()) throw std::runtime_error(library.string() + " has no " + registered_name);
  const Trial trial = try_near(mutant->variants, registered_name);
  return trial.verdict == Verdict::survived ? try_far(mutant->variants, registered_name) : trial;
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
