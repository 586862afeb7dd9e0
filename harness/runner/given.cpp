#include "harness/runner/given.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "harness/base/error.h"
#include "harness/base/folders.h"
#include "harness/base/terminal.h"
#include "harness/base/text.h"

namespace flash_steps {
namespace {

constexpr const char* title =
    "Sixteen FlashAttention-2 forward kernels: run a step, prove it right, measure it, explain it.";

constexpr const char* examples = R"(Examples:
  runner --list                          the steps there are
  runner --kernel=02_swizzling           validate a step, then time it (GPU) or
                                         count it (emulator)
  runner --kernel=01-03 --seqlen=512     several steps at another length
  runner --kernel=01 --explain           counters beside the source lines
  runner --kernel=02 --diff              what the step changed
  runner --kernel=all --seqlen=512,1024,2048,4096,8192,16384 --baseline=fa2 \
         --json=sweep.json               the published sweep, beside
                                         FlashAttention-2
  runner --table                         percent of FlashAttention-2: as
                                         published, and as measured
  runner --table --bounds                and what the hardware allows each step
  runner --kernel=16 --predict=a100      what a GPU that is not there would take
  runner --machine-code --arch=sm_80     what the steps became in a GPU's own
                                         instructions
  runner --site                          the book in a browser: pages, diffs,
                                         counters and machine code

Exit codes: 0 good, 1 a kernel was wrong, 2 the command line was wrong,
3 the machine cannot do it.
)";

void add_value(CLI::App& app, const char* name, std::string& target, const char* type, const char* description) {
  app.add_option(name, target, description)->type_name(type);
}

void declare_predict(CLI::App& app, Given& given) {
  add_value(app, "--predict", given.predict, "LIST",
            "Predict the time on GPUs that are not there, from machine code: a100, rtx3090, h100, h200, or all");
  add_value(app, "--clock", given.clock, "MHZ",
            "Of --predict: the SM clock [FlashAttention-2's, as it was timed there]");
  add_value(app, "--without", given.without, "LIST",
            "Of --predict: also with a mechanism of the model off, or all of them");
  add_value(app, "--timeline", given.timeline, "FILE",
            "Of --predict: two tiles in the Chrome trace format, for Perfetto, or one as a picture into FILE.svg");
}

void declare(CLI::App& app, Given& given) {
  const auto value = [&](const char* name, std::string& target, const char* type, const char* description) {
    add_value(app, name, target, type, description);
  };
  const auto flag = [&](const char* name, bool& target, const char* description) {
    CLI::Option* const option = app.add_flag(name, target, description);
    option->disable_flag_override();
    return option;
  };
  flag("--list", given.list, "List the kernels and their configs");
  value("--kernel", given.kernel, "LIST", "Kernels: names or parts of them, numbers, ranges such as 01-03, *, or all");
  value("--device", given.device, "DEVICE", "auto (the GPU if there is one), gpu or emulator");
  value("--batch", given.batch, "N", "Sequences [GPU: 16, and 65536 / seqlen beyond 4096; emulator: 1]");
  value("--heads", given.heads, "N", "Heads of each sequence [GPU: 16, emulator: 1]");
  value("--seqlen", given.seqlen, "LIST", "Lengths, a multiple of the tile each [GPU: 4096, emulator: 256]");
  value("--head-dim", given.head_dim, "N", "Elements of a head [128]");
  value("--seqlen-kv", given.seqlen_kv, "N", "Keys, where they are not as many as queries");
  value("--kv-heads", given.kv_heads, "N", "Heads of K and V, where they are fewer");
  flag("--causal", given.causal, "A query attends to the keys up to its own place");
  value("--dropout", given.dropout, "P", "The probability with which a weight is dropped [0]");
  value("--padding", given.padding, "N", "Sequences are by up to N shorter than --seqlen, and packed [0]");
  value("--pass", given.pass, "PASS", "forward, backward or both [forward, if covered]");
  value("--dtype", given.dtype, "LIST", "fp16, bf16 or all [fp16]");
  value("--seed", given.seed, "SEED", "Of the inputs [1]");
  value("--inputs", given.inputs, "LIST",
        "normal, uniform, large, constant, onehot, tiny, negative, positive, creeping, or all [normal]");
  value("--config", given.config, "LIST", "Configs: names, *, or all [GPU: all, emulator: the first that fits]");
  flag("--check-only", given.check_only, "Validate and stop");
  value("--repeat", given.repeat, "N", "Of --check-only: launch N times and demand bit-equal outputs");
  flag("--profile", given.profile, "One bare launch, for a profiler");
  flag("--explain", given.explain, "Counters beside the source lines (on the emulator)");
  flag("--diff", given.diff, "The difference to the step before");
  flag("--machine-code", given.machine_code, "Count the instructions that the GPU executes");
  value("--arch", given.arch, "LIST", "Of --machine-code: sm_80, sm_86 and so on [all that were built]");
  value("--sass", given.sass, "FILE",
        "Of --machine-code: write the instructions themselves; of --predict: read them, or those \"built\" here");
  declare_predict(app, given);
  flag("--lines", given.lines, "Of --machine-code: each instruction with its source line, a file a kernel into --json");
  value("--baseline", given.baseline, "LIST", "Time beside the kernels, on a GPU: fa2, cudnn, standard, pytorch");
  value("--json", given.json, "FILE", "Write the results to a file, anew after each length; - is stdout");
  flag("--resume", given.resume, "Go on with the file of --json: run only the lengths that it lacks");
  flag("--table", given.table, "Show results files, named after it, beside the published figures [docs/results]");
  flag("--bounds", given.bounds, "With --table: what the busiest pipe of an SM allows, beside each GPU's figures");
  flag("--predictions", given.predictions, "With --table: what docs/results/predictions.json says of each GPU");
  flag("--errors", given.errors, "Show the errors of a results file [docs/results/h100_errors.json]");
  flag("--stale", given.stale, "List the files of docs/results that should be made anew, and how they were made");
  value("--update", given.update, "FILE", "Put the tables into a page such as README.md, or into those of a folder");
  app.add_option("--site", given.site, "Make the study site: the pages beside the kernels, for a browser [build/site]")
      ->type_name("DIR")
      ->expected(0, 1)
      ->default_str((source_folder() / "build/site").string());
  value("--samples", given.samples, "N", "Samples of each kernel at least, on a GPU [20]");
  value("--min-time", given.min_time, "SECONDS", "Time spent in each kernel at least, on a GPU [0.5]");
  value("--host-threads", given.host_threads, "N", "Threads of the emulator [one a core]");
  value("--lane-order", given.lane_order, "SEED", "Shuffle the emulator's lanes; must not change anything [0: do not]");
  flag("-q,--quiet", given.quiet, "Verdicts and the summary alone");
  flag("-v,--verbose", given.verbose, "Say on stderr what is being done, a line each");
  value("--completion", given.completion, "SHELL", "Print a completion script for bash or zsh");
  flag("--version", given.version, "Print the version");
  flag("--needs", given.needs, "")->group("");  // for ./runner itself: see Options
}

// The library's lines, broken where the page ends.
std::string fitted_help(const std::string& help) {
  constexpr int description_column = 30;
  const size_t own = help.find("Options:");  // in front of it is the title, and how it is called
  std::string text = wrapped(title, page_width()) + "\n" + help.substr(help.find('\n') + 1, own - help.find('\n') - 1);
  for (const std::string& line : split(help.substr(own), '\n')) {
    text += (line.starts_with("  ") ? wrapped(line, page_width(), description_column) : line) + "\n";
  }
  return trimmed(text) + examples;
}

bool is_separator(const std::string& argument) { return argument == "--"; }

// What the library would take for something else: it lets an empty value swallow the next word.
void check_empty_values(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (is_separator(argument)) return;
    if (argument.starts_with("--") && argument.find('=') == argument.size() - 1) {
      throw UsageError(argument.substr(0, argument.size() - 1) + " is given without a value; --help shows its values");
    }
  }
}

[[noreturn]] void refuse_argument(const std::string& argument) {
  const std::string name = split(argument, '=')[0];
  if (name.empty() || name[0] != '-') {
    throw UsageError("\"" + argument +
                     "\" is not an option; kernels are chosen as in --kernel=01_base, and --help "
                     "lists the options");
  }
  throw UsageError("there is no option " + name + "; the nearest is " + nearest(name, option_names()) +
                   ", and --help lists them all");
}

void set_up(CLI::App& app, Given& given) {
  app.allow_extras();
  app.get_formatter()->column_width(30);
  declare(app, given);
}

}  // namespace

Given read_arguments(int argc, const char* const* argv) {
  Given given;
  CLI::App app{title, "runner"};
  set_up(app, given);
  std::vector<std::string> arguments(argv + 1, argv + std::max(argc, 1));
  if (arguments.empty()) {
    given.help = fitted_help(app.help());
    return given;
  }
  check_empty_values(arguments);
  const auto separator = std::find_if(arguments.begin(), arguments.end(), is_separator);
  std::vector<std::string> files(separator == arguments.end() ? separator : separator + 1, arguments.end());
  arguments.erase(separator, arguments.end());
  try {
    std::reverse(arguments.begin(), arguments.end());  // the library takes them from the end
    app.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    given.help = fitted_help(app.help());
    return given;
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string flag = split(error.what(), ' ')[0];
    if (std::string(error.what()).find("flag override") != std::string::npos) {
      throw UsageError("--" + flag + " takes no value; --" + flag + " alone would work");
    }
    const std::string option = split(error.what(), ':')[0];
    throw UsageError(option + " takes exactly one value; --help shows which");
  } catch (const CLI::ParseError& error) {
    std::string sentence = error.what();
    std::replace(sentence.begin(), sentence.end(), '\n', ' ');
    throw UsageError(sentence + "; --help shows how it is used");
  }
  for (const std::string& argument : app.remaining()) {
    const bool takes_files = given.table || given.errors;
    if (!takes_files || argument.empty() || argument[0] == '-') refuse_argument(argument);
    given.files.push_back(argument);
  }
  if (!files.empty() && !given.table && !given.errors) refuse_argument(files.front());
  given.files.insert(given.files.end(), files.begin(), files.end());
  return given;
}

std::vector<std::string> option_names() {
  Given unused;
  CLI::App app{title, "runner"};
  set_up(app, unused);
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_group().empty()) names.push_back("--" + option->get_lnames().front());
  }
  return names;
}

}  // namespace flash_steps
