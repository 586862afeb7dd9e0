#include "harness/measure/plan.h"

#include <algorithm>
#include <cmath>
#include <ostream>

#include "harness/base/text.h"
#include "harness/console/list.h"
#include "harness/truth/validate.h"

namespace flash_steps {
namespace {

bool names_config(const Options& options) { return !options.config.empty() && options.config != "all"; }

bool is_chosen(const Variant& variant, const Options& options) {
  return !names_config(options) || variant.tile.config == options.config;
}

void check_config(const Kernel& kernel, const Options& options) {
  const std::vector<std::string> configs = configs_of(kernel);
  if (!names_config(options) || std::find(configs.begin(), configs.end(), options.config) != configs.end()) return;
  throw UsageError("--config=" + options.config + ": " + kernel.name + " has no such config; it has " + join(configs) +
                   ", or all of them with --config=all");
}

// Both targets have the same tiles, and the emulator's are always built.
void check_seqlen(const Kernel& kernel, const Options& options, int seqlen) {
  std::optional<std::string> refusal;
  for (const Variant& variant : kernel.emulator) {
    if (!is_chosen(variant, options)) continue;
    const auto reason = seqlen_refusal(variant.tile, seqlen);
    if (!reason) return;
    if (!refusal) refusal = kernel.name + " " + variant.tile.config + ": " + *reason;
  }
  if (refusal) throw UsageError(*refusal);
}

struct Combination {
  Dtype dtype;
  InputDistribution inputs;
  int seqlen;
};

template <typename T>
std::vector<T> or_default(const std::vector<T>& list, T left_open) {
  return list.empty() ? std::vector{left_open} : list;
}

std::vector<Combination> combinations(const Options& options, const Problem& default_problem) {
  std::vector<Combination> all;
  for (Dtype dtype : or_default(options.dtypes, default_problem.dtype)) {
    for (InputDistribution inputs : or_default(options.inputs, default_problem.inputs)) {
      for (int seqlen : or_default(options.seqlens, default_problem.seqlen)) all.push_back({dtype, inputs, seqlen});
    }
  }
  return all;
}

std::string text_of(int value) { return std::to_string(value); }
std::string text_of(auto value) { return name_of(value); }

template <typename T>
void check_single(const std::vector<T>& list, const std::string& option, const std::string& takes_one) {
  if (list.size() <= 1) return;
  throw UsageError(takes_one + ", and --" + option + " has " + std::to_string(list.size()) + "; --" + option + "=" +
                   text_of(list.front()) + " would work");
}

}  // namespace

void check_choice(const std::vector<const Kernel*>& kernels, const Options& options) {
  for (const Kernel* kernel : kernels) {
    check_config(*kernel, options);
    for (int seqlen : options.seqlens) check_seqlen(*kernel, options, seqlen);
  }
  if (options.mode == Mode::machine_code) check_single(options.dtypes, "dtype", "--machine-code counts one type");
  if (options.mode != Mode::profile) return;
  if (kernels.size() > 1) {
    throw UsageError("--profile launches one kernel, and " + std::to_string(kernels.size()) +
                     " are chosen; --kernel=" + kernels.front()->name + " would work");
  }
  check_single(options.seqlens, "seqlen", "--profile launches one length");
  check_single(options.dtypes, "dtype", "--profile launches one type");
  check_single(options.inputs, "inputs", "--profile launches one distribution");
}

int published_batch(int seqlen) { return std::clamp(65536 / seqlen, 1, 16); }

std::vector<Problem> problems_of(const Options& options, const Problem& default_problem) {
  Problem problem = default_problem;
  problem.heads = options.heads.value_or(problem.heads);
  problem.seed = options.seed.value_or(problem.seed);

  std::vector<Problem> problems;
  for (const auto& [dtype, inputs, seqlen] : combinations(options, default_problem)) {
    problem.dtype = dtype;
    problem.inputs = inputs;
    problem.seqlen = seqlen;
    problem.batch = options.batch.value_or(std::min(default_problem.batch, published_batch(seqlen)));
    // Nothing has this much; and below it no count of elements or bytes overflows.
    const double terabytes = 4 * 2e-12 * problem.batch * problem.heads * problem.seqlen * problem.head_dim;
    if (terabytes > 1000) {
      throw MachineError("batch " + std::to_string(problem.batch) + ", heads " + std::to_string(problem.heads) +
                         " and seqlen " + std::to_string(problem.seqlen) + " need " + fixed(terabytes, 0) +
                         " TB of memory; smaller ones would work");
    }
    problems.push_back(problem);
  }
  return problems;
}

std::vector<Job> jobs_for(const Problem& problem, const std::vector<const Kernel*>& kernels, const Options& options,
                          const Backend& backend, std::ostream& notes) {
  const Target target = backend.device().backend;
  std::vector<Job> jobs;
  for (const Kernel* kernel : kernels) {
    const size_t jobs_before = jobs.size();
    std::optional<std::string> usage_refusal;
    std::optional<std::string> machine_refusal;
    std::string left_out;
    std::vector<std::string> other_heads;
    for (const Variant& variant : kernel->variants(target)) {
      if (variant.dtype != problem.dtype || !is_chosen(variant, options)) continue;
      const Job job{kernel, &variant};
      const int heads = variant.tile.heads;
      if (heads != 0 && heads != problem.heads && !names_config(options)) {
        const std::string number = std::to_string(heads);
        if (std::find(other_heads.begin(), other_heads.end(), number) == other_heads.end())
          other_heads.push_back(number);
      } else if (const auto shape = check_shape(variant, problem)) {
        if (!usage_refusal) usage_refusal = job.name() + ": " + *shape;
        left_out += "runner: left out " + job.name() + ": " + *shape + "\n";
      } else if (const auto machine = backend.refusal(variant, problem)) {
        if (!machine_refusal) machine_refusal = job.name() + ": " + *machine;
        left_out += "runner: left out " + job.name() + ": " + *machine + "\n";
      } else {
        jobs.push_back(job);
        if ((target == Target::emulator || options.mode == Mode::profile) && options.config.empty()) break;
      }
    }
    if (jobs.size() == jobs_before) {
      if (machine_refusal) throw MachineError(*machine_refusal);
      if (usage_refusal) throw UsageError(*usage_refusal);
      if (!other_heads.empty()) {
        throw UsageError(kernel->name + ": its row stride is fixed when it is compiled, and " +
                         std::to_string(problem.heads) +
                         " heads are not among those it covers; --heads=" + join(other_heads, " or ") + " would work");
      }
      throw UsageError(kernel->name + " has no variant for " + name_of(problem.dtype) +
                       "; the other --dtype would work");
    }
    notes << left_out;
  }
  return jobs;
}

}  // namespace flash_steps
