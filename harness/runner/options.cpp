#include "harness/runner/options.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "harness/base/error.h"
#include "harness/base/text.h"
#include "harness/runner/given.h"

namespace flash_steps {
namespace {

// A grid's y and z, where heads and batch go, have 16 bits.
constexpr int max_grid_yz = 65535;

// --- Values ------------------------------------------------------------------------------------------------------

[[noreturn]] void refuse(const std::string& option, const std::string& text, const std::string& what_works) {
  throw UsageError("--" + option + "=" + text + " is not " + what_works);
}

template <typename T>
T whole_number(const std::string& option, const std::string& text, T min, T max) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < min || number > max) {
    refuse(option, text, "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return number;
}

// At least `least`, and less than `most` or (inclusive) at most that.
double number(const std::string& option, const std::string& text, double least, double most, bool inclusive,
              const std::string& what_works) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_in_range = value >= least && (value < most || (inclusive && value == most));
  if (error != std::errc{} || end != text.data() + text.size() || !is_in_range) refuse(option, text, what_works);
  return value;
}

template <typename T>
T one_of(const std::string& option, const std::string& text, const std::vector<std::pair<std::string, T>>& choices) {
  std::vector<std::string> names;
  for (const auto& [name, choice] : choices) {
    if (name == text) return choice;
    names.push_back(name);
  }
  refuse(option, text, "one of " + join(names));
}

template <typename T, size_t count>
T one_of_all(const std::string& option, const std::string& text, const T (&all)[count]) {
  std::vector<std::pair<std::string, T>> choices;
  for (T choice : all) choices.emplace_back(name_of(choice), choice);
  return one_of(option, text, choices);
}

template <typename T>
void add_once(std::vector<T>& list, const T& value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

// Each once, in the order given; "all" stands for all of them.
template <typename T, size_t count>
std::vector<T> some_of_all(const std::string& option, const std::string& list, const T (&all)[count]) {
  std::vector<T> chosen;
  for (const std::string& text : split(list, ',')) {
    if (text == "all") {
      for (const T choice : all) add_once(chosen, choice);
    } else {
      add_once(chosen, one_of_all(option, text, all));
    }
  }
  return chosen;
}

// --- Which options go with which mode ----------------------------------------------------------------------------

struct ModeFlag {
  Mode mode;
  const char* flag;
  bool Given::*given;
};

constexpr ModeFlag mode_flags[] = {{Mode::list, "--list", &Given::list},
                                   {Mode::diff, "--diff", &Given::diff},
                                   {Mode::explain, "--explain", &Given::explain},
                                   {Mode::machine_code, "--machine-code", &Given::machine_code},
                                   {Mode::check_only, "--check-only", &Given::check_only},
                                   {Mode::profile, "--profile", &Given::profile},
                                   {Mode::table, "--table", &Given::table},
                                   {Mode::errors, "--errors", &Given::errors},
                                   {Mode::stale, "--stale", &Given::stale},
                                   {Mode::version, "--version", &Given::version}};

Mode mode_of(const Given& given) {
  std::vector<const ModeFlag*> chosen;
  for (const ModeFlag& mode : mode_flags) {
    if (given.*mode.given) chosen.push_back(&mode);
  }
  if (chosen.size() > 1) {
    throw UsageError(std::string(chosen[0]->flag) + " and " + chosen[1]->flag +
                     " do not go together; leave one of them out");
  }
  if (!chosen.empty() && !given.site.empty()) {
    throw UsageError(std::string("--site and ") + chosen[0]->flag + " do not go together; leave one of them out");
  }
  if (!chosen.empty()) return chosen[0]->mode;
  if (!given.predict.empty()) return Mode::predict;
  if (!given.site.empty()) return Mode::site;
  return given.completion.empty() ? Mode::measure : Mode::completion;
}

std::string flag_of(Mode mode) {
  if (mode == Mode::site) return "--site";
  const auto found = std::find_if(std::begin(mode_flags), std::end(mode_flags),
                                  [&](const ModeFlag& candidate) { return candidate.mode == mode; });
  if (mode == Mode::predict) return "--predict";
  return found == std::end(mode_flags) ? "--completion" : found->flag;
}

using Modes = std::vector<Mode>;

// Refuses an option that the mode would ignore.
void check_option(Mode mode, const std::string& option, const Modes& modes) {
  if (std::find(modes.begin(), modes.end(), mode) != modes.end()) return;
  if (mode != Mode::measure) {
    throw UsageError(option + " and " + flag_of(mode) + " do not go together; leave one of them out");
  }
  std::vector<std::string> flags;
  for (const Mode other : modes) flags.push_back(flag_of(other));
  if (flags.size() == 1) {
    throw UsageError(option + " is for " + flags[0] + ", which is not given; give both or neither");
  }
  throw UsageError(option + " is for " + join(flags, " or ") +
                   ", and neither is given; give one of them or leave it out");
}

// `running`: the modes that are about a problem.
void check_flags(const Given& given, Mode mode, const Modes& running) {
  if (given.resume) check_option(mode, "--resume", {Mode::measure, Mode::check_only});
  if (given.causal) check_option(mode, "--causal", running);
  if (given.bounds) check_option(mode, "--bounds", {Mode::table});
  if (given.predictions) check_option(mode, "--predictions", {Mode::table});
  if (given.lines) check_option(mode, "--lines", {Mode::machine_code});
  if (mode == Mode::site && !given.kernel.empty()) {
    throw UsageError("--site is of all kernels, and --kernel=" + given.kernel + " is given; leave one of them out");
  }
  if (given.quiet) check_option(mode, "--quiet", {Mode::measure, Mode::check_only});
  if (given.verbose) check_option(mode, "--verbose", running);
}

void check_options(const Given& given, Mode mode) {
  const Modes executing = {Mode::measure, Mode::check_only, Mode::profile, Mode::explain};
  const Modes checking = {Mode::measure, Mode::check_only};
  Modes running = executing;  // what is about a problem
  running.push_back(Mode::predict);
  Modes with_type = running, with_config = running, with_results = checking;
  with_type.push_back(Mode::machine_code);
  with_config.push_back(Mode::machine_code);
  with_results.insert(with_results.end(), {Mode::explain, Mode::machine_code, Mode::list, Mode::predict});
  const Modes predicting = {Mode::predict, Mode::explain}, predict = {Mode::predict};
  struct ValueOption {
    const char* name;
    const std::string& value;
    const Modes& modes;
  };
  const Modes check_only = {Mode::check_only}, machine_code = {Mode::machine_code}, measure = {Mode::measure};
  const Modes with_sass = {Mode::machine_code, Mode::predict};
  const Modes table = {Mode::table}, pages = {Mode::table, Mode::errors};
  const ValueOption values[] = {{"device", given.device, executing},
                                {"batch", given.batch, running},
                                {"heads", given.heads, running},
                                {"seqlen", given.seqlen, running},
                                {"head-dim", given.head_dim, running},
                                {"seqlen-kv", given.seqlen_kv, running},
                                {"kv-heads", given.kv_heads, running},
                                {"dropout", given.dropout, running},
                                {"padding", given.padding, running},
                                {"pass", given.pass, running},
                                {"seed", given.seed, executing},
                                {"inputs", given.inputs, executing},
                                {"host-threads", given.host_threads, running},
                                {"lane-order", given.lane_order, executing},
                                {"dtype", given.dtype, with_type},
                                {"config", given.config, with_config},
                                {"baseline", given.baseline, checking},
                                {"samples", given.samples, checking},
                                {"min-time", given.min_time, checking},
                                {"repeat", given.repeat, check_only},
                                {"arch", given.arch, machine_code},
                                {"sass", given.sass, with_sass},
                                {"predict", given.predict, predicting},
                                {"without", given.without, predict},
                                {"timeline", given.timeline, predict},
                                {"update", given.update, pages}};
  for (const ValueOption& option : values) {
    if (!option.value.empty()) {
      check_option(mode, std::string("--") + option.name + "=" + option.value, option.modes);
    }
  }
  if (!given.json.empty() && std::find(with_results.begin(), with_results.end(), mode) == with_results.end()) {
    throw UsageError("--json=" + given.json + " would stay empty, for " + flag_of(mode) +
                     " has no results; leave one of them out");
  }
  if (!given.clock.empty() && given.predict.empty()) check_option(mode, "--clock=" + given.clock, predict);
  check_flags(given, mode, running);
}

// An option that the chosen device cannot obey is a mistake, not a wish.
void check_device_options(const Given& given, Mode mode, DeviceChoice device) {
  const auto refuse_if = [&](const char* option, const std::string& text, const char* other) {
    if (text.empty()) return;
    throw UsageError("--" + std::string(option) + "=" + text + " is for the " + other +
                     ", and --device=" + given.device + " is given; leave one of them out");
  };
  if (device == DeviceChoice::gpu) {
    refuse_if("host-threads", given.host_threads, "emulator");
    refuse_if("lane-order", given.lane_order, "emulator");
    if (mode == Mode::explain) {
      throw UsageError("--explain runs on the emulator, which alone counts by line; --device=emulator would work");
    }
  }
  if (device == DeviceChoice::emulator) {
    refuse_if("samples", given.samples, "GPU");
    refuse_if("min-time", given.min_time, "GPU");
    refuse_if("baseline", given.baseline, "GPU");
  }
}

// --- The whole ---------------------------------------------------------------------------------------------------

Purpose purpose_of(Mode mode) {
  switch (mode) {
    case Mode::check_only:
      return Purpose::check;
    case Mode::explain:
      return Purpose::explain;
    case Mode::profile:
      return Purpose::profile;
    default:
      return Purpose::measure;
  }
}

void interpret_shape(const Given& given, Settings& settings) {
  constexpr int max_int = std::numeric_limits<int>::max();
  const auto size = [&](const char* option, const std::string& text, int most) {
    return whole_number(option, text, 1, most);
  };
  if (!given.batch.empty()) settings.batch = size("batch", given.batch, max_grid_yz);
  if (!given.heads.empty()) settings.heads = size("heads", given.heads, max_grid_yz);
  if (!given.seqlen.empty()) {
    for (const std::string& text : split(given.seqlen, ',')) {
      add_once(settings.seqlens, size("seqlen", text, max_int));
    }
  }
  if (!given.head_dim.empty()) settings.head_dim = size("head-dim", given.head_dim, max_int);
  if (!given.seqlen_kv.empty()) settings.seqlen_kv = size("seqlen-kv", given.seqlen_kv, max_int);
  if (!given.kv_heads.empty()) settings.kv_heads = size("kv-heads", given.kv_heads, max_grid_yz);
  if (given.causal) settings.mask = Mask::causal;
  if (!given.dropout.empty()) {
    settings.dropout = number("dropout", given.dropout, 0, 1, false, "a probability from 0 to below 1");
  }
  if (!given.padding.empty()) settings.padding = whole_number("padding", given.padding, 0, max_int);
  if (!given.pass.empty()) settings.pass = one_of_all("pass", given.pass, all_passes);
  if (!given.dtype.empty()) settings.dtypes = some_of_all("dtype", given.dtype, all_dtypes);
  if (!given.inputs.empty()) settings.inputs = some_of_all("inputs", given.inputs, all_distributions);
  if (!given.seed.empty()) {
    settings.seed = whole_number<uint64_t>("seed", given.seed, 0, std::numeric_limits<uint64_t>::max());
  }
}

Settings interpret_settings(const Given& given, Mode mode) {
  constexpr double longest_seconds = 3600;
  Settings settings;
  settings.purpose = purpose_of(mode);
  settings.config = given.config;
  interpret_shape(given, settings);
  if (!given.samples.empty()) settings.budget.min_samples = whole_number("samples", given.samples, 1, 1000000);
  if (!given.min_time.empty()) {
    settings.budget.min_seconds =
        number("min-time", given.min_time, 0, longest_seconds, true, "a number of seconds from 0 to 3600");
  }
  if (!given.repeat.empty()) settings.repeats = whole_number("repeat", given.repeat, 2, 1000000);
  if (!given.baseline.empty()) settings.baselines = some_of_all("baseline", given.baseline, all_baselines);
  return settings;
}

void interpret_pages(const Given& given, Options& options) {
  options.files.assign(given.files.begin(), given.files.end());
  options.bounds = given.bounds;
  options.predictions = given.predictions;
  if (options.mode == Mode::errors && options.files.size() > 1) {
    throw UsageError("--errors shows one file, and " + given.files[0] + " and " + given.files[1] +
                     " are given; leave one of them out");
  }
  if ((options.bounds || options.predictions) && !given.update.empty()) {
    throw UsageError(std::string(options.bounds ? "--bounds" : "--predictions") + " and --update=" + given.update +
                     " do not go together, for the page's markers say what it shows; leave one of them out");
  }
  if (given.update.empty()) return;
  options.update = given.update;
  if (!given.kernel.empty()) {
    throw UsageError("--update=" + given.update + " puts the whole table there, and --kernel=" + given.kernel +
                     " is given; leave one of them out");
  }
}

void interpret_prediction(const Given& given, Options& options) {
  if (!given.predict.empty()) options.cards = select_cards(given.predict);
  if (!given.clock.empty()) {
    options.clock_mhz = number("clock", given.clock, 0, 10000, true, "a number of MHz");
  }
  if (!given.timeline.empty()) options.timeline = given.timeline;
  std::vector<std::pair<std::string, const Ablation*>> known;
  for (const Ablation& ablation : all_ablations()) known.emplace_back(ablation.name, &ablation);
  for (const std::string& text : given.without.empty() ? std::vector<std::string>{} : split(given.without, ',')) {
    if (text == "all") {
      for (const auto& [name, ablation] : known) add_once(options.without, ablation);
    } else {
      add_once(options.without, one_of("without", text, known));
    }
  }
}

std::vector<std::string> architectures(const std::string& list) {
  const std::vector<std::string> archs = split(list, ',');
  for (const std::string& arch : archs) {
    if (!arch.starts_with("sm_") || arch.size() < 5) refuse("arch", list, "a list such as sm_80,sm_90");
  }
  return archs;
}

bool needs_kernel(Mode mode) {
  return mode == Mode::measure || mode == Mode::check_only || mode == Mode::profile || mode == Mode::explain ||
         mode == Mode::diff || mode == Mode::predict;
}

Options interpret(const Given& given) {
  Options options;
  options.needs = given.needs;
  options.mode = mode_of(given);
  check_options(given, options.mode);
  interpret_pages(given, options);
  interpret_prediction(given, options);
  options.kernels = given.kernel;
  if (options.kernels.empty() && needs_kernel(options.mode)) {
    throw UsageError("no kernel is chosen; --kernel=01_base, --kernel=01-03 or --kernel=all would work");
  }
  if (!given.device.empty()) {
    options.device = one_of<DeviceChoice>(
        "device", given.device,
        {{"auto", DeviceChoice::automatic}, {"gpu", DeviceChoice::gpu}, {"emulator", DeviceChoice::emulator}});
  }
  check_device_options(given, options.mode, options.device);
  options.settings = interpret_settings(given, options.mode);
  if (!given.arch.empty()) options.archs = architectures(given.arch);
  if (!given.host_threads.empty()) options.host_threads = whole_number("host-threads", given.host_threads, 1, 1024);
  if (!given.lane_order.empty()) {
    options.lane_order =
        whole_number<uint64_t>("lane-order", given.lane_order, 0, std::numeric_limits<uint64_t>::max());
  }
  if (!given.completion.empty()) {
    options.shell = one_of<std::string>("completion", given.completion, {{"bash", "bash"}, {"zsh", "zsh"}});
  }
  if (!given.json.empty()) options.json = given.json;
  if (!given.sass.empty()) options.sass = given.sass;
  options.site = given.site;
  options.lines = given.lines;
  if (options.lines && (!options.json || *options.json == "-")) {
    throw UsageError(
        "--lines writes a file for each kernel, and no folder is named; --json=docs/results/lines would work");
  }
  options.quiet = given.quiet;
  options.verbose = given.verbose;
  options.resume = given.resume;
  if (options.resume && (!options.json || *options.json == "-")) {
    throw UsageError("--resume goes on with a results file, and none is named; --json=FILE would name it");
  }
  return options;
}

}  // namespace

Options parse_options(int argc, const char* const* argv) {
  const Given given = read_arguments(argc, argv);
  if (given.help.empty()) return interpret(given);
  Options options;
  options.help = given.help;
  return options;
}

}  // namespace flash_steps
