#include <algorithm>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "harness/base/error.h"
#include "harness/base/file.h"
#include "harness/base/parallel.h"
#include "harness/base/text.h"
#include "harness/console/predict.h"
#include "harness/contract/coverage.h"
#include "harness/contract/select.h"
#include "harness/measure/plan.h"
#include "harness/predict/fa2.h"
#include "harness/predict/other_problems.h"
#include "harness/predict/picture.h"
#include "harness/predict/predictions.h"
#include "harness/predict/timeline.h"
#include "harness/predict/validation.h"
#include "harness/results/freshness.h"
#include "harness/results/meta.h"
#include "harness/runner/commands/commands.h"
#include "harness/sass/built.h"

namespace flash_steps {
namespace {

constexpr const char* built_code = "built";
constexpr int tiles_of_timeline = 2;

struct Choice {
  const Kernel* kernel;
  const Variant* variant;
  const Card* card;
  const Ablation* without;
  Problem problem;
  double sm_clock_mhz;
  std::optional<Fa2Speed> fa2;
};

// What a kernel does not cover, and what the stored code does not hold: refused if nothing else is left, as a run does.
class Choices {
 public:
  Choices(const Options& options, const Predictor& predictor, const Evidence& evidence)
      : options_(options), predictor_(predictor), evidence_(evidence) {}

  std::vector<Choice> make(const Selection& kernels) {
    Problem usual;
    usual.seqlen = table_seqlen;
    usual.batch = published_batch(table_seqlen);
    usual.heads = evidence_.published.heads;
    Settings settings = options_.settings;
    for (const int seqlen : settings.seqlens) usual.batch = std::min(usual.batch, published_batch(seqlen));
    for (const Problem& problem : problems_of(settings, usual)) {
      for (const Kernel* kernel : kernels) add(*kernel, problem);
    }
    if (choices_.empty()) throw UsageError(refusal_);
    return choices_;
  }

 private:
  void add(const Kernel& kernel, const Problem& asked) {
    const std::string& config = options_.settings.config;
    const std::vector<const Variant*> variants = chosen_variants(kernel, Target::emulator, asked.dtype, config);
    if (variants.empty()) {
      refusal_ = "--config=" + config + ": " + kernel.name + " has no such config; it has " + join(configs_of(kernel));
      return;
    }
    if (const auto why = pass_refusal(kernel, *variants.front(), asked)) {
      refusal_ = *why;
      return;
    }
    for (const Variant* variant : variants) {
      Problem problem = asked;
      if (!options_.settings.batch) problem.batch = published_batch(problem.seqlen);
      if (const auto why = refusal(*variant, problem)) {
        refusal_ = kernel.name + ": " + *why;
        continue;
      }
      for (const Card* card : options_.cards) {
        if (!lacks(kernel, *variant, *card)) add(kernel, *variant, *card, problem);
      }
      if (config.empty() && options_.mode != Mode::table) break;
    }
  }

  // The backward pass is several launches, and its CTAs go through queries as well as through keys.
  std::optional<std::string> pass_refusal(const Kernel& kernel, const Variant& variant, const Problem& problem) const {
    const std::vector<Pass>& passes = variant.coverage.passes;
    const bool has_forward = std::find(passes.begin(), passes.end(), Pass::forward) != passes.end();
    if (has_forward && problem.pass == Pass::forward) return std::nullopt;
    return kernel.name + ": the pass " + name_of(has_forward ? problem.pass : passes.front()) +
           " is not predicted, for the model has one launch whose CTAs go through tiles of keys; the forward pass of " +
           stored_kernels() + " would work";
  }

  // "01_base to 16_static_stride and v01_any_length to v07_dropout": of which there is machine code.
  std::string stored_kernels() const {
    std::vector<std::string> ranges;
    for (const Chapter& chapter : chapters()) {
      std::vector<std::string> names;
      for (const Kernel* kernel : of_chapter(chapter.name)) {
        if (!stored_configs(kernel->name).empty()) names.push_back(kernel->name);
      }
      if (!names.empty()) ranges.push_back(names.front() + (names.size() > 1 ? " to " + names.back() : ""));
    }
    return join(ranges, " and ");
  }

  std::vector<std::string> stored_configs(const std::string& kernel) const {
    std::vector<std::string> configs;
    for (const auto& [key, function] : predictor_.code().functions) {
      const bool is_known = std::find(configs.begin(), configs.end(), function.tile.config) != configs.end();
      if (function.kernel == kernel && !is_known) configs.push_back(function.tile.config);
    }
    return configs;
  }

  // Whether there is no machine code to predict from, or only that of another kernel file than today's.
  bool lacks(const Kernel& kernel, const Variant& variant, const Card& card) {
    const StoredSass& code = predictor_.code();
    const StoredFunction* function = code.find(kernel.name, variant.tile.config, card.arch);
    const std::string is_of = kernel.name + " " + variant.tile.config + " for " + card.arch;
    if (function == nullptr) {
      const std::vector<std::string> configs = stored_configs(kernel.name);
      refusal_ = is_of + " is not among the machine code in " + code.file.string() + "; that of " +
                 (configs.empty() ? stored_kernels() : join(configs)) +
                 " is, and --sass=built takes that of this build";
    } else if (const std::string today = code_hash(kernel); !today.empty() && function->code != today) {
      refusal_ = code.file.string() + " has the machine code of another " + kernel.name +
                 ".cu than today's; --sass=built takes that of this build";
      function = nullptr;
    }
    return function == nullptr;
  }

  void add(const Kernel& kernel, const Variant& variant, const Card& card, const Problem& problem) {
    const std::optional<Fa2Speed> fa2 = fa2_of(kernel, card, problem);
    const double clock = options_.clock_mhz.value_or(
        fa2 ? fa2->sm_clock_mhz : usual_clock_mhz(card, problem.seqlen, evidence_.published, evidence_.sweeps));
    if (clock < card.lowest_mhz || clock > card.highest_mhz) {
      throw UsageError("--clock=" + significant(clock, 6) + " is out of the range of the " + card.gpu + ", which is " +
                       significant(card.lowest_mhz, 6) + " to " + significant(card.highest_mhz, 6) + " MHz");
    }
    std::vector<const Ablation*> without{nullptr};
    without.insert(without.end(), options_.without.begin(), options_.without.end());
    for (const Ablation* ablation : without) {
      choices_.push_back({&kernel, &variant, &card, ablation, problem, clock, fa2});
    }
  }

  // Of the published problems that of the sixteen's runs, but for a kernel that was timed beside it itself.
  std::optional<Fa2Speed> fa2_of(const Kernel& kernel, const Card& card, const Problem& problem) {
    if (kernel.chapter->name != sixteen) {
      const auto [timed, is_new] = timed_.try_emplace(kernel.chapter);
      if (is_new) timed->second = timed_files(*kernel.chapter);
      if (const auto fa2 = fa2_speed(card, problem, timed->second)) return fa2;
    }
    if (!evidence_.published.has(problem)) return std::nullopt;
    return fa2_speed(card, problem.seqlen, evidence_.published, evidence_.sweeps);
  }

  const Options& options_;
  const Predictor& predictor_;
  const Evidence& evidence_;
  std::map<const Chapter*, std::vector<ResultsFile>> timed_;
  std::vector<Choice> choices_;
  std::string refusal_;
};

// From this build's libraries for a GPU, instead of the stored machine code.
Predictor built_predictor(const Options& options, const Selection& kernels) {
  std::set<std::string> archs;
  for (const Card* card : options.cards) archs.insert(card->arch);
  std::vector<MachineCodeRow> rows;
  for (const Kernel* kernel : kernels) {
    const auto variants = chosen_variants(*kernel, Target::gpu, Dtype::fp16, options.settings.config);
    const auto of_kernel = read_machine_code(*kernel, variants, {archs.begin(), archs.end()});
    rows.insert(rows.end(), of_kernel.begin(), of_kernel.end());
  }
  return predictor_of(stored_code_of(read_encoded(rows), "this build"));
}

Predictor predictor_for(const Options& options, const Selection& kernels) {
  if (!options.sass) return read_predictor();
  if (*options.sass == built_code) return built_predictor(options, kernels);
  try {
    return predictor_of(read_stored_code(*options.sass));
  } catch (const std::runtime_error& error) {
    throw UsageError(std::string("--sass: ") + error.what());
  }
}

// Lengths of one config share its simulations.
std::vector<Prediction> predict(const Predictor& predictor, const std::vector<Choice>& choices) {
  std::map<std::tuple<const Variant*, const Card*, const Ablation*>, std::vector<size_t>> groups;
  for (size_t i = 0; i < choices.size(); i++) {
    groups[{choices[i].variant, choices[i].card, choices[i].without}].push_back(i);
  }
  std::vector<std::vector<size_t>> lists;
  for (const auto& [key, list] : groups) lists.push_back(list);
  std::vector<Prediction> predictions(choices.size());
  in_parallel(static_cast<int64_t>(lists.size()), 0, [&](int64_t g) {
    const Choice& first = choices[lists[g].front()];
    std::vector<ClockedProblem> problems;
    for (const size_t i : lists[g]) problems.push_back({choices[i].problem, choices[i].sm_clock_mhz});
    const auto of_group = predictor.predict(*first.variant, *first.card, problems, first.without);
    for (size_t k = 0; k < of_group.size(); k++) predictions[lists[g][k]] = of_group[k];
  });
  return predictions;
}

// A picture has room for one tile.
void draw(const Predictor& predictor, const Choice& choice, const std::filesystem::path& file) {
  const bool is_picture = file.extension() == ".svg";
  const Timeline timeline = timeline_of(predictor, choice.kernel->name, choice.variant->tile, *choice.card,
                                        is_picture ? 1 : tiles_of_timeline);
  if (is_picture) {
    write_file(timeline_svg(timeline), file);
  } else {
    write_timeline(timeline, file);
  }
}

void check(const Options& options) {
  const Settings& settings = options.settings;
  if (settings.dtypes.size() > 1 || (!settings.dtypes.empty() && settings.dtypes.front() != Dtype::fp16)) {
    throw UsageError("--predict is for fp16, whose machine code is stored, and --dtype has bf16; leave it out");
  }
  check_json(options);
  check_file("--timeline", options.timeline);
}

}  // namespace

int show_predict(const Options& options, const Selection& kernels, const Arguments& argv) {
  check(options);
  const Predictor predictor = predictor_for(options, kernels);
  const Evidence evidence;
  const std::vector<Choice> choices = Choices(options, predictor, evidence).make(kernels);
  if (options.timeline && choices.size() > 1) {
    throw UsageError("--timeline shows one config on one GPU, and " + std::to_string(choices.size()) +
                     " are chosen; --kernel=16 --predict=h100 would work");
  }
  const Uncertainties uncertainties = uncertainties_of(options.cards, evidence, *choices.front().kernel->chapter);
  if (options.mode == Mode::explain) {
    for (const Choice& choice : choices) {
      print_predicted_lines(std::cout, *choice.kernel, predictor, *choice.variant, *choice.card, uncertainties);
    }
    return 0;
  }
  const std::vector<Prediction> predictions = predict(predictor, choices);
  Predictions stored{make_meta(argv, {}), {}};
  for (size_t i = 0; i < choices.size(); i++) {
    const std::string without = choices[i].without == nullptr ? "" : choices[i].without->name;
    stored.runs.push_back(stored_form(predictions[i], without, choices[i].fa2));
  }
  const auto is_stdout = [](const auto& file) { return file && *file == stdout_name; };
  const bool to_stdout = is_stdout(options.json) || is_stdout(options.timeline);
  print_predictions(to_stdout ? std::cerr : std::cout, predictions, stored, uncertainties);
  if (options.json) write_predictions(stored, *options.json);
  if (options.timeline) draw(predictor, choices.front(), *options.timeline);
  return 0;
}

}  // namespace flash_steps
