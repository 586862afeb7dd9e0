#include "harness/runner/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <limits>

#include "harness/base/text.h"

namespace flash_steps {
namespace {

// A grid's y and z, where heads and batch go, have 16 bits.
constexpr int max_grid_yz = 65535;

// Values as they were given: what they mean is decided here and not in CLI11, for errors that say what would work.
struct Given {
  std::string kernel, device, batch, heads, seqlen, head_dim, dtype, seed, inputs, config;
  std::string baseline, samples, min_time, repeat, host_threads, lane_order, json, arch, update;
  bool list = false, check_only = false, profile = false, diff = false, explain = false, machine_code = false;
  bool resume = false, table = false, bounds = false, errors = false;
  std::vector<std::string> files;  // what is not an option
};

constexpr const char* examples = R"(Examples:
  runner --list                          the steps there are
  runner --kernel=02_swizzling           validate a step, then time it (GPU) or count it (emulator)
  runner --kernel=01-03 --seqlen=512     several steps at another length
  runner --kernel=01 --explain           counters beside the source lines
  runner --kernel=02 --diff              what the step changed
  runner --kernel=all --seqlen=512,1024,2048,4096,8192,16384 --baseline=fa2 --json=sweep.json
                                         the published sweep, beside FlashAttention-2
  runner --table                         percent of FlashAttention-2: as published, and as measured
  runner --table --bounds                and what the hardware allows each step
  runner --machine-code --arch=sm_80     what the steps became in a GPU's own instructions

Exit codes: 0 good, 1 a kernel was wrong, 2 the command line was wrong, 3 the machine cannot do it.
)";

void declare(CLI::App& app, Given& given) {
  const auto value = [&](const char* name, std::string& target, const char* type, const char* description) {
    app.add_option(name, target, description)->type_name(type);
  };
  app.add_flag("--list", given.list, "List the kernels and their configs");
  value("--kernel", given.kernel, "LIST", "Kernels: names, numbers, ranges such as 01-03, or all");
  value("--device", given.device, "DEVICE", "auto (the GPU if there is one), gpu or emulator");
  value("--batch", given.batch, "N", "Sequences [GPU: 16, and 65536 / seqlen beyond 4096; emulator: 1]");
  value("--heads", given.heads, "N", "Heads of each sequence [GPU: 16, emulator: 1]");
  value("--seqlen", given.seqlen, "LIST", "Lengths, a multiple of the tile each [GPU: 4096, emulator: 256]");
  value("--head-dim", given.head_dim, "128", "Elements of a head; the kernels are written for 128");
  value("--dtype", given.dtype, "LIST", "fp16, bf16 [fp16]");
  value("--seed", given.seed, "SEED", "Of the inputs [1]");
  value("--inputs", given.inputs, "LIST", "normal, uniform, large, constant, onehot, tiny, or all [normal]");
  value("--config", given.config, "NAME", "A config, or all [GPU: all, emulator: the first that fits]");
  app.add_flag("--check-only", given.check_only, "Validate and stop");
  value("--repeat", given.repeat, "N", "Of --check-only: launch N times and demand bit-equal outputs");
  app.add_flag("--profile", given.profile, "One bare launch, for a profiler");
  app.add_flag("--explain", given.explain, "Counters beside the source lines (on the emulator)");
  app.add_flag("--diff", given.diff, "The difference to the previous step");
  app.add_flag("--machine-code", given.machine_code, "Count the instructions that the GPU executes");
  value("--arch", given.arch, "LIST", "Of --machine-code: sm_80, sm_86 and so on [all that were built]");
  value("--baseline", given.baseline, "LIST", "Time beside the kernels, on a GPU: fa2, cudnn, standard");
  value("--json", given.json, "FILE", "Write the results to a file, anew after each length");
  app.add_flag("--resume", given.resume, "Go on with the file of --json: run only the lengths that it lacks");
  app.add_flag("--table", given.table,
               "Show results files, named after it, beside the published figures [docs/results]");
  app.add_flag("--bounds", given.bounds,
               "With --table: what the busiest pipe of an SM allows, beside each GPU's figures");
  app.add_flag("--errors", given.errors, "Show the errors of a results file [docs/results/h100_errors.json]");
  value("--update", given.update, "FILE", "Put the table into a page such as README.md, or into those of a folder");
  value("--samples", given.samples, "N", "Samples of each kernel at least, on a GPU [20]");
  value("--min-time", given.min_time, "SECONDS", "Time spent in each kernel at least, on a GPU [0.5]");
  value("--host-threads", given.host_threads, "N", "Threads of the emulator [one a core]");
  value("--lane-order", given.lane_order, "SEED", "Shuffle the emulator's lanes; must not change anything [0: do not]");
  app.footer(examples);
}

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

double seconds(const std::string& option, const std::string& text) {
  constexpr double most = 3600;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !(number >= 0 && number <= most)) {
    refuse(option, text, "a number of seconds from 0 to 3600");
  }
  return number;
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

// Each once, in the order given.
template <typename T, size_t count>
std::vector<T> some_of_all(const std::string& option, const std::string& list, const T (&all)[count]) {
  std::vector<T> chosen;
  for (const std::string& text : split(list, ',')) {
    const T choice = one_of_all(option, text, all);
    if (std::find(chosen.begin(), chosen.end(), choice) == chosen.end()) chosen.push_back(choice);
  }
  return chosen;
}

Mode mode_of(const Given& given) {
  std::vector<std::pair<std::string, Mode>> modes;
  if (given.list) modes.emplace_back("--list", Mode::list);
  if (given.diff) modes.emplace_back("--diff", Mode::diff);
  if (given.explain) modes.emplace_back("--explain", Mode::explain);
  if (given.machine_code) modes.emplace_back("--machine-code", Mode::machine_code);
  if (given.check_only) modes.emplace_back("--check-only", Mode::check_only);
  if (given.profile) modes.emplace_back("--profile", Mode::profile);
  if (given.table) modes.emplace_back("--table", Mode::table);
  if (given.errors) modes.emplace_back("--errors", Mode::errors);
  if (modes.empty()) return Mode::measure;
  if (modes.size() > 1) {
    throw UsageError(modes[0].first + " and " + modes[1].first + " do not go together; leave one of them out");
  }
  const auto [name, mode] = modes[0];
  const bool has_results = mode == Mode::explain || mode == Mode::check_only || mode == Mode::machine_code;
  if (!given.json.empty() && !has_results) {
    throw UsageError("--json=" + given.json + " would stay empty, for " + name +
                     " has no results; leave one of them out");
  }
  if (!given.baseline.empty() && mode != Mode::check_only) {
    throw UsageError("--baseline=" + given.baseline + " and " + name + " do not go together; leave one of them out");
  }
  if (given.resume && mode != Mode::check_only) {
    throw UsageError("--resume and " + name + " do not go together; leave one of them out");
  }
  return mode;
}

std::vector<std::string> architectures(const std::string& list, Mode mode) {
  if (mode != Mode::machine_code) {
    throw UsageError("--arch=" + list + " is for --machine-code, which is not given; give both or neither");
  }
  const std::vector<std::string> archs = split(list, ',');
  for (const std::string& arch : archs) {
    if (!arch.starts_with("sm_") || arch.size() < 5) refuse("arch", list, "a list such as sm_80,sm_90");
  }
  return archs;
}

// An option that the chosen device cannot obey is a mistake, not a wish.
void check_device_options(const Given& given, DeviceChoice device) {
  const auto refuse_if = [&](const char* option, const std::string& text, const char* other) {
    if (text.empty()) return;
    throw UsageError("--" + std::string(option) + "=" + text + " is for the " + other +
                     ", and --device=" + given.device + " is given; leave one of them out");
  };
  if (device == DeviceChoice::gpu) {
    refuse_if("host-threads", given.host_threads, "emulator");
    refuse_if("lane-order", given.lane_order, "emulator");
  }
  if (device == DeviceChoice::emulator) {
    refuse_if("samples", given.samples, "GPU");
    refuse_if("min-time", given.min_time, "GPU");
    refuse_if("baseline", given.baseline, "GPU");
  }
}

bool shows_files(Mode mode) { return mode == Mode::table || mode == Mode::errors; }

void interpret_files(const Given& given, Options& options) {
  options.files.assign(given.files.begin(), given.files.end());
  if (options.mode == Mode::errors && options.files.size() > 1) {
    throw UsageError("--errors shows one file, and " + given.files[0] + " and " + given.files[1] +
                     " are given; leave one of them out");
  }
  options.bounds = given.bounds;
  if (options.bounds && options.mode != Mode::table) {
    throw UsageError("--bounds is for --table, which is not given; give both or neither");
  }
  if (options.bounds && !given.update.empty()) {
    throw UsageError("--bounds and --update=" + given.update +
                     " do not go together, for the page's markers say what it shows; leave one of them out");
  }
  if (given.update.empty()) return;
  options.update = given.update;
  if (!shows_files(options.mode)) {
    throw UsageError("--update=" + given.update +
                     " is for --table or --errors, and neither is given; give one of them or leave it out");
  }
  if (!given.kernel.empty()) {
    throw UsageError("--update=" + given.update + " puts the whole table there, and --kernel=" + given.kernel +
                     " is given; leave one of them out");
  }
}

Options interpret(const Given& given) {
  constexpr int max_int = std::numeric_limits<int>::max();
  Options options;
  options.mode = mode_of(given);
  interpret_files(given, options);
  options.kernels = given.kernel;
  const bool needs_kernel =
      options.mode != Mode::list && options.mode != Mode::machine_code && !shows_files(options.mode);
  if (options.kernels.empty() && needs_kernel) {
    throw UsageError("no kernel is chosen; --kernel=01_base, --kernel=01-03 or --kernel=all would work");
  }
  if (!given.device.empty()) {
    options.device = one_of<DeviceChoice>(
        "device", given.device,
        {{"auto", DeviceChoice::automatic}, {"gpu", DeviceChoice::gpu}, {"emulator", DeviceChoice::emulator}});
  }
  check_device_options(given, options.device);
  options.config = given.config;
  if (!given.arch.empty()) options.archs = architectures(given.arch, options.mode);

  if (!given.batch.empty()) options.batch = whole_number("batch", given.batch, 1, max_grid_yz);
  if (!given.heads.empty()) options.heads = whole_number("heads", given.heads, 1, max_grid_yz);
  if (!given.seqlen.empty()) {
    for (const std::string& text : split(given.seqlen, ',')) {
      options.seqlens.push_back(whole_number("seqlen", text, 1, max_int));
    }
  }
  if (!given.head_dim.empty() && whole_number("head-dim", given.head_dim, 1, max_int) != supported_head_dim) {
    throw UsageError("--head-dim=" + given.head_dim + " is not covered; the kernels are written for " +
                     std::to_string(supported_head_dim));
  }
  if (!given.dtype.empty()) options.dtypes = some_of_all("dtype", given.dtype, all_dtypes);
  if (given.inputs == "all") {
    options.inputs.assign(std::begin(all_distributions), std::end(all_distributions));
  } else if (!given.inputs.empty()) {
    options.inputs = some_of_all("inputs", given.inputs, all_distributions);
  }
  constexpr uint64_t max_seed = std::numeric_limits<uint64_t>::max();
  if (!given.seed.empty()) options.seed = whole_number<uint64_t>("seed", given.seed, 0, max_seed);

  if (!given.samples.empty()) options.budget.min_samples = whole_number("samples", given.samples, 1, 1000000);
  if (!given.min_time.empty()) options.budget.min_seconds = seconds("min-time", given.min_time);
  if (!given.repeat.empty()) {
    options.repeats = whole_number("repeat", given.repeat, 2, 1000000);
    if (options.mode != Mode::check_only) {
      throw UsageError("--repeat=" + given.repeat + " is for --check-only, which is not given; give both or neither");
    }
  }
  if (!given.host_threads.empty()) options.host_threads = whole_number("host-threads", given.host_threads, 1, 1024);
  if (!given.lane_order.empty()) {
    options.lane_order = whole_number<uint64_t>("lane-order", given.lane_order, 0, max_seed);
  }
  if (!given.baseline.empty()) options.baselines = some_of_all("baseline", given.baseline, all_baselines);
  if (!given.json.empty()) options.json = given.json;
  options.resume = given.resume;
  if (options.resume && !options.json) {
    throw UsageError("--resume goes on with a results file, and none is named; --json=FILE would name it");
  }
  return options;
}

[[noreturn]] void refuse_argument(const CLI::App& app, const std::string& argument) {
  const std::string name = split(argument, '=')[0];
  if (name.empty() || name[0] != '-') {
    throw UsageError("\"" + argument +
                     "\" is not an option; kernels are chosen as in --kernel=01_base, and --help "
                     "lists the options");
  }
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) names.push_back("--" + option->get_lnames().front());
  throw UsageError("there is no option " + name + "; the nearest is " + nearest(name, names) +
                   ", and --help lists them all");
}

std::vector<std::string> names_of(const std::vector<Kernel>& kernels) {
  std::vector<std::string> names;
  for (const Kernel& kernel : kernels) names.push_back(kernel.name);
  return names;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.size() <= 4 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
}

}  // namespace

Options parse_options(int argc, const char* const* argv) {
  CLI::App app{"Sixteen FlashAttention-2 forward kernels: run a step, prove it right, measure it, explain it.",
               "runner"};
  app.allow_extras();
  Given given;
  declare(app, given);
  Options options;
  if (argc <= 1) {
    options.help = app.help();
    return options;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    options.help = app.help();
    return options;
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string option = split(error.what(), ':')[0];
    throw UsageError(option + " takes exactly one value; --help shows which");
  } catch (const CLI::ParseError& error) {
    std::string sentence = error.what();
    std::replace(sentence.begin(), sentence.end(), '\n', ' ');
    throw UsageError(sentence + "; --help shows how it is used");
  }
  for (const std::string& argument : app.remaining()) {
    const bool takes_files = given.table || given.errors;
    if (!takes_files || argument.empty() || argument[0] == '-') refuse_argument(app, argument);
    given.files.push_back(argument);
  }
  for (const CLI::Option* option : app.get_options()) {
    const bool empty = option->count() > 0 && option->results().front().empty();
    if (empty)
      throw UsageError("--" + option->get_lnames().front() + " is given without a value; --help shows its values");
  }
  return interpret(given);
}

std::vector<const Kernel*> select_kernels(const std::string& list, const std::vector<Kernel>& kernels) {
  const std::string there_are = "there are " + join(names_of(kernels));
  const auto by_number = [&](const std::string& item, const std::string& number) {
    for (const Kernel& kernel : kernels) {
      if (kernel.number() == std::stoi(number)) return &kernel;
    }
    throw UsageError("--kernel=" + item + ": no kernel has the number " + number + "; " + there_are);
  };

  std::vector<const Kernel*> selected;
  const auto add = [&](const Kernel* kernel) {
    if (std::find(selected.begin(), selected.end(), kernel) == selected.end()) selected.push_back(kernel);
  };
  for (const std::string& item : split(list, ',')) {
    const std::vector<std::string> ends = split(item, '-');
    if (item == "all") {
      for (const Kernel& kernel : kernels) add(&kernel);
    } else if (is_number(item)) {
      add(by_number(item, item));
    } else if (ends.size() == 2 && is_number(ends[0]) && is_number(ends[1])) {
      const Kernel* first = by_number(item, ends[0]);
      const Kernel* last = by_number(item, ends[1]);
      if (first > last) {
        throw UsageError("--kernel=" + item + " runs backwards; " + ends[1] + "-" + ends[0] + " would work");
      }
      for (const Kernel* kernel = first; kernel <= last; kernel++) add(kernel);
    } else {
      const auto named = std::find_if(kernels.begin(), kernels.end(), [&](const Kernel& k) { return k.name == item; });
      if (named == kernels.end()) {
        throw UsageError("--kernel=" + item + ": no kernel has this name; the nearest is " +
                         nearest(item, names_of(kernels)) + ", and " + there_are);
      }
      add(&*named);
    }
  }
  return selected;
}

}  // namespace flash_steps
