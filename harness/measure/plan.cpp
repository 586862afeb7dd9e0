#include "harness/measure/plan.h"

#include <algorithm>
#include <optional>

#include "harness/base/error.h"
#include "harness/base/text.h"
#include "harness/contract/coverage.h"
#include "harness/contract/select.h"

namespace flash_steps {
namespace {

template <typename T>
std::vector<T> or_default(const std::vector<T>& list, T left_open) {
  return list.empty() ? std::vector{left_open} : list;
}

std::string text_of(int value) { return std::to_string(value); }
std::string text_of(auto value) { return name_of(value); }

template <typename T>
void check_single(const std::vector<T>& list, const std::string& option, const std::string& takes_one) {
  if (list.size() <= 1) return;
  throw UsageError(takes_one + ", and --" + option + " has " + std::to_string(list.size()) + "; --" + option + "=" +
                   text_of(list.front()) + " would work");
}

// Why a kernel is not run.
struct Refusal {
  std::string sentence;
  bool is_machines = false;  // the machine's fault, and not that of the command line
  bool is_out_of_memory = false;

  [[noreturn]] void raise() const {
    if (is_out_of_memory) throw OutOfMemory(sentence);
    if (is_machines) throw MachineError(sentence);
    throw UsageError(sentence);
  }
};

// Of which nothing was chosen.
Refusal config_refusal(const Kernel& kernel, const std::string& config, Dtype dtype, Target target) {
  if (!select_configs(config, configs_of(kernel)).empty()) {
    const std::string what = config.empty() ? std::string(name_of(dtype)) : config + " in " + name_of(dtype);
    const std::string option =
        target == Target::emulator ? "FLASH_STEPS_EMULATOR_ALL_CONFIGS" : "FLASH_STEPS_ALL_CONFIGS";
    return {kernel.name + " has no " + what + " in this build; one with " + option + "=ON has all configs", true};
  }
  return {"--config=" + config + ": " + kernel.name + " has no such config; it has " + join(configs_of(kernel)) +
          ", or all of them with --config=all"};
}

// What is run of one kernel on one problem; without a machine, what any machine might run.
class KernelPlan {
 public:
  KernelPlan(const Kernel& kernel, const Problem& problem, const Settings& settings, const Machine* machine)
      : kernel_(kernel), problem_(problem), settings_(settings), machine_(machine) {
    const Target target = machine == nullptr ? Target::emulator : machine->device().backend;
    const bool first_alone = settings.config.empty() && (target == Target::emulator || is_profile());
    const std::vector<const Variant*> chosen = chosen_variants(kernel, target, problem.dtype, settings.config);
    if (chosen.empty()) refusal_ = config_refusal(kernel, settings.config, problem.dtype, target);
    const bool some_fit = std::any_of(chosen.begin(), chosen.end(), [&](auto* variant) { return has_dim(*variant); });
    for (const Variant* variant : chosen) {
      // Configs for other head dimensions are nothing to speak of, unless they were named.
      if (some_fit && !has_dim(*variant) && !is_named()) continue;
      consider(*variant);
      if (first_alone && !jobs.empty()) break;
    }
  }

  // Of which there must be one where there is no job.
  Refusal refusal() const {
    if (refusal_) return *refusal_;
    return {kernel_.name + ": its row stride is fixed when it is compiled, and " + std::to_string(problem_.heads) +
            " heads are not among those it covers; --heads=" + join(other_heads_, " or ") + " would work"};
  }

  std::vector<Job> jobs;
  std::vector<std::string> left_out;

 private:
  bool is_profile() const { return settings_.purpose == Purpose::profile; }
  bool is_named() const { return !settings_.config.empty() && settings_.config != "all"; }

  bool has_dim(const Variant& variant) const {
    const std::vector<int>& dims = variant.coverage.head_dims;
    return std::find(dims.begin(), dims.end(), problem_.head_dim) != dims.end();
  }

  void consider(const Variant& variant) {
    const Job job{&kernel_, &variant};
    const int heads = variant.tile.heads;
    if (heads != 0 && heads != problem_.heads && !is_named()) {
      const std::string number = std::to_string(heads);
      if (std::find(other_heads_.begin(), other_heads_.end(), number) == other_heads_.end()) {
        other_heads_.push_back(number);
      }
    } else if (const auto shape = flash_steps::refusal(variant, problem_)) {
      refuse({job.name() + ": " + *shape});
    } else if (const auto reason = machine_ == nullptr ? std::nullopt : machine_->refusal(variant, problem_)) {
      refuse({job.name() + ": " + *reason, true});
    } else {
      jobs.push_back(job);
    }
  }

  void refuse(const Refusal& refusal) {
    // That a machine lacks something weighs more: another shape would not help.
    if (!refusal_ || (refusal.is_machines && !refusal_->is_machines)) refusal_ = refusal;
    left_out.push_back(refusal.sentence);
  }

  const Kernel& kernel_;
  const Problem& problem_;
  const Settings& settings_;
  const Machine* machine_;
  std::optional<Refusal> refusal_;
  std::vector<std::string> other_heads_;
};

Plan plan_on(const Problem& problem, const std::vector<const Kernel*>& kernels, const Settings& settings,
             const Machine* machine) {
  Plan plan;
  std::optional<Refusal> first_refusal;
  for (const Kernel* kernel : kernels) {
    const KernelPlan of_kernel(*kernel, problem, settings, machine);
    plan.jobs.insert(plan.jobs.end(), of_kernel.jobs.begin(), of_kernel.jobs.end());
    if (!of_kernel.jobs.empty()) {
      plan.left_out.insert(plan.left_out.end(), of_kernel.left_out.begin(), of_kernel.left_out.end());
      continue;
    }
    const Refusal refusal = of_kernel.refusal();
    plan.left_out.push_back(refusal.sentence);
    if (!first_refusal) first_refusal = refusal;
  }
  if (plan.jobs.empty() && first_refusal) first_refusal->raise();
  return plan;
}

// Forward, unless none of the kernels covers it.
Pass default_pass(const std::vector<const Kernel*>& kernels) {
  std::optional<Pass> first;
  for (const Kernel* kernel : kernels) {
    const std::vector<Pass>& passes = kernel->emulator().front().coverage.passes;
    if (std::find(passes.begin(), passes.end(), Pass::forward) != passes.end()) return Pass::forward;
    if (!first) first = passes.front();
  }
  return first.value_or(Pass::forward);
}

}  // namespace

int published_batch(int seqlen) { return std::clamp(65536 / seqlen, 1, 16); }

std::vector<const Variant*> chosen_variants(const Kernel& kernel, Target target, Dtype dtype,
                                            const std::string& config) {
  const std::vector<std::string> names = select_configs(config, configs_of(kernel));
  std::vector<const Variant*> chosen;
  for (const Variant& variant : kernel.variants(target)) {
    const bool is_named = std::find(names.begin(), names.end(), variant.tile.config) != names.end();
    if (variant.dtype == dtype && is_named) chosen.push_back(&variant);
  }
  return chosen;
}

DefaultProblem default_problem(const Machine& machine, const std::vector<const Kernel*>& kernels) {
  DefaultProblem chosen{machine.default_problem(), ""};
  chosen.problem.pass = default_pass(kernels);
  if (machine.device().backend != Target::emulator) return chosen;
  const auto is_scalar = [](const Kernel* kernel) { return kernel->emulator().front().tile.scalar; };
  const auto scalar = std::find_if(kernels.begin(), kernels.end(), is_scalar);
  if (scalar == kernels.end()) return chosen;
  const std::string full = std::to_string(chosen.problem.seqlen);
  chosen.problem.seqlen /= 2;
  chosen.note = "seqlen " + std::to_string(chosen.problem.seqlen) + " instead of " + full + ", because " +
                (*scalar)->name + " multiplies without tensor cores, which takes the emulator long; --seqlen=" + full +
                " would work";
  return chosen;
}

std::vector<Problem> problems_of(const Settings& settings, const Problem& default_problem) {
  std::vector<Problem> problems;
  Problem problem = default_problem;
  problem.heads = settings.heads.value_or(problem.heads);
  problem.seed = settings.seed.value_or(problem.seed);
  problem.head_dim = settings.head_dim;
  problem.kv_heads = settings.kv_heads == problem.heads ? 0 : settings.kv_heads;
  if (problem.heads % problem.key_heads() != 0) {
    throw UsageError("--kv-heads=" + std::to_string(settings.kv_heads) + " does not divide the " +
                     std::to_string(problem.heads) + " heads of queries; --kv-heads=1 would work");
  }
  problem.mask = settings.mask;
  problem.dropout = settings.dropout;
  problem.padding = settings.padding;
  problem.pass = settings.pass.value_or(default_problem.pass);
  for (const Dtype dtype : or_default(settings.dtypes, default_problem.dtype)) {
    for (const InputDistribution inputs : or_default(settings.inputs, default_problem.inputs)) {
      for (const int seqlen : or_default(settings.seqlens, default_problem.seqlen)) {
        problem.dtype = dtype;
        problem.inputs = inputs;
        problem.seqlen = seqlen;
        problem.seqlen_kv = settings.seqlen_kv == seqlen ? 0 : settings.seqlen_kv;
        if (problem.padding > problem.most_padding()) {
          const std::string most = std::to_string(problem.most_padding());
          throw UsageError("--padding=" + std::to_string(problem.padding) + " is more than a sequence of " + most +
                           " has; --padding=" + most + " would be the most");
        }
        problem.batch = settings.batch.value_or(std::min(default_problem.batch, published_batch(seqlen)));
        // Nothing has this much; and below it no count of elements or bytes overflows.
        const double terabytes =
            4 * 2e-12 * problem.batch * problem.heads * std::max(problem.seqlen, problem.keys()) * problem.head_dim;
        if (terabytes > 1000) {
          throw OutOfMemory("batch " + std::to_string(problem.batch) + ", heads " + std::to_string(problem.heads) +
                            " and seqlen " + std::to_string(problem.seqlen) + " need " + fixed(terabytes, 0) +
                            " TB of memory; smaller ones would work");
        }
        problems.push_back(problem);
      }
    }
  }
  return problems;
}

Plan plan_for(const Problem& problem, const std::vector<const Kernel*>& kernels, const Settings& settings,
              const Machine& machine) {
  Plan plan = plan_on(problem, kernels, settings, &machine);
  if (settings.purpose == Purpose::profile && plan.jobs.size() > 1) {
    throw UsageError("--profile launches one config, and " + plan.jobs.front().kernel->name +
                     " has several; --config=" + plan.jobs.front().variant->tile.config + " would work");
  }
  return plan;
}

void check_choice(const std::vector<const Kernel*>& kernels, const Settings& settings) {
  if (settings.purpose == Purpose::profile) {
    if (kernels.size() > 1) {
      throw UsageError("--profile launches one kernel, and " + std::to_string(kernels.size()) +
                       " are chosen; --kernel=" + kernels.front()->name + " would work");
    }
    check_single(settings.seqlens, "seqlen", "--profile launches one length");
    check_single(settings.dtypes, "dtype", "--profile launches one type");
    check_single(settings.inputs, "inputs", "--profile launches one distribution");
  }
  // What is left open follows from a machine, whose default problem every kernel covers: here any that fits all tiles.
  const TileShape& tile = kernels.front()->emulator().front().tile;
  const Problem open{.heads = std::max(1, tile.heads), .seqlen = 4096, .pass = default_pass(kernels)};
  for (const Problem& problem : problems_of(settings, open)) plan_on(problem, kernels, settings, nullptr);
}

}  // namespace flash_steps
