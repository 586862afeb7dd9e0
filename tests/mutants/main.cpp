// mutants: makes mistakes in the kernel files, one at a time, and demands that the emulator notices each.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <mutex>

#include "harness/base/error.h"
#include "harness/base/file.h"
#include "harness/base/parallel.h"
#include "harness/base/progress.h"
#include "harness/base/text.h"
#include "harness/contract/select.h"
#include "harness/results/meta.h"
#include "mutants/build.h"
#include "mutants/catalogue/catalogue.h"
#include "mutants/equivalent.h"
#include "mutants/on_gpu/build_for_gpu.h"
#include "mutants/on_gpu/gpu_list.h"
#include "mutants/outcome.h"
#include "mutants/translation_unit.h"
#include "tests/support/content.h"

namespace flash_steps::mutants {
namespace {

namespace fs = std::filesystem;

constexpr const char* footer = R"(Examples:
  mutants --json=docs/results/mutants.json      all mutants of all kernels
  mutants --kernel=03 --mistake=barrier,wait    some: those whose mistake begins with one of these words
  mutants --kernel=01,03,16 --mistake=barrier,wait --gpu=DIR
                                                compiles them for a GPU instead: see scripts/gpu_mutants.sh

Exit codes: 0 every mutant is killed or listed as equivalent, 1 one is not, or the catalogue no longer fits the kernels,
2 the command line was wrong, 3 the machine cannot do it.
)";

struct Choice {
  std::string help;  // not empty: print this and stop
  std::string kernels = "all";
  std::vector<std::string> mistakes;  // the beginnings of their names; empty: all
  std::string json;
  std::string gpu;  // the folder to compile them to for one; empty: try them on the emulator
};

bool begins_with(const std::string& name, const std::vector<std::string>& beginnings) {
  return beginnings.empty() || std::any_of(beginnings.begin(), beginnings.end(),
                                           [&](const std::string& beginning) { return name.starts_with(beginning); });
}

Choice parse(int argc, char** argv) {
  CLI::App app{"Makes mistakes in the kernel files, one at a time, and demands that the emulator notices each.",
               "mutants"};
  Choice choice;
  std::string mistakes_list;
  app.add_option("--kernel", choice.kernels, "Kernels: names, numbers, ranges such as 01-03 [all]")->type_name("LIST");
  app.add_option("--mistake", mistakes_list, "Mistakes, or what their names begin with [all]")->type_name("LIST");
  app.add_option("--json", choice.json, "Write what became of each mutant to a file")->type_name("FILE");
  app.add_option("--gpu", choice.gpu, "Compile the mutants for a GPU, to a folder, and try none")->type_name("DIR");
  app.footer(footer);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    choice.help = app.help();
  } catch (const CLI::ParseError& error) {
    throw UsageError(std::string(error.what()) + "; --help shows how it is used");
  }
  if (!mistakes_list.empty()) choice.mistakes = split(mistakes_list, ',');
  for (const std::string& beginning : choice.mistakes) {
    const bool is_one = std::any_of(mistakes().begin(), mistakes().end(), [&](const std::string& name) {
      return !beginning.empty() && name.starts_with(beginning);
    });
    if (!is_one) {
      throw UsageError("--mistake=" + mistakes_list + ": no mistake begins with \"" + beginning + "\"; there are " +
                       join(mistakes()));
    }
  }
  if (!choice.gpu.empty() && !fs::is_directory(choice.gpu)) {
    throw UsageError("--gpu=" + choice.gpu + " is no folder; one that exists would work");
  }
  if (!choice.gpu.empty() && !choice.json.empty()) {
    throw UsageError("--json says what the emulator finds, and --gpu does not ask it; one of them alone would work");
  }
  if (choice.json.empty()) return choice;
  try {
    check_writable(choice.json);
  } catch (const std::runtime_error& error) {
    throw UsageError(std::string("--json: ") + error.what());
  }
  return choice;
}

// The kernel as it is, and its mutants.
std::vector<Mutant> chosen_mutants(const Kernel& kernel, const Choice& choice) {
  const std::string text = content(kernel.source_file);
  std::vector<Mutant> chosen{control_of(kernel.name, text)};
  for (Mutant& mutant : mutants_of(kernel.name, text)) {
    if (begins_with(mutant.mistake, choice.mistakes)) chosen.push_back(std::move(mutant));
  }
  return chosen;
}

// Removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "flash_steps_mutants_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a folder such as " + name);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::vector<Outcome> try_all(const std::vector<std::vector<Mutant>>& mutants_by_kernel) {
  const TemporaryFolder folder;
  Progress progress;
  std::mutex mutex;
  const auto say = [&](const std::string& text) {
    const std::lock_guard lock(mutex);
    progress.say(text);
  };

  std::vector<fs::path> libraries(mutants_by_kernel.size());
  in_parallel(static_cast<int64_t>(libraries.size()), 0, [&](int64_t k) {
    say("compiling the mutants of " + mutants_by_kernel[k].front().kernel);
    libraries[k] = build_library(mutants_by_kernel[k], folder.path());
  });

  struct Task {
    size_t kernel;
    int number;
  };
  std::vector<Task> tasks;
  std::vector<Outcome> outcomes;
  for (size_t k = 0; k < mutants_by_kernel.size(); k++) {
    for (size_t m = 0; m < mutants_by_kernel[k].size(); m++) {
      tasks.push_back({k, static_cast<int>(m)});
      outcomes.push_back({mutants_by_kernel[k][m], {}});
    }
  }
  in_parallel(static_cast<int64_t>(tasks.size()), 0, [&](int64_t i) {
    say(std::to_string(i + 1) + " of " + std::to_string(tasks.size()) + ": " + describe(outcomes[i].mutant));
    const std::string name = registered_name(tasks[i].number, outcomes[i].mutant);
    outcomes[i].trial = try_apart(libraries[tasks[i].kernel], name);
  });
  return outcomes;
}

// Without asking the emulator.
int compile_for_gpu(const std::vector<std::vector<Mutant>>& mutants_by_kernel, const fs::path& folder,
                    const std::vector<std::string>& argv) {
  std::vector<BuiltMutant> all;
  Progress progress;
  for (const std::vector<Mutant>& mutants : mutants_by_kernel) {
    progress.say("compiling the mutants of " + mutants.front().kernel);
    const std::vector<BuiltMutant> built = build_for_gpu(*find_kernel(mutants.front().kernel), mutants, folder);
    all.insert(all.end(), built.begin(), built.end());
  }
  write_gpu_list(all, make_meta(argv, {}), folder);
  progress.clear();
  const auto refused =
      std::count_if(all.begin(), all.end(), [](const BuiltMutant& mutant) { return mutant.library.empty(); });
  std::cout << all.size() << " compiled, of which ptxas refuses " << refused << "\n";
  return 0;
}

int run(const Choice& choice, const std::vector<std::string>& argv) {
  std::vector<std::vector<Mutant>> mutants_by_kernel;
  for (const Kernel* kernel : select_kernels(choice.kernels, kernels())) {
    mutants_by_kernel.push_back(chosen_mutants(*kernel, choice));
  }
  if (!choice.gpu.empty()) return compile_for_gpu(mutants_by_kernel, choice.gpu, argv);
  const std::vector<Outcome> outcomes = try_all(mutants_by_kernel);
  print_outcomes(std::cout, outcomes);
  if (!choice.json.empty()) write_outcomes(outcomes, make_meta(argv, {}), choice.json);
  const std::vector<std::string> sentences = complaints(outcomes, equivalents());
  for (const std::string& sentence : sentences) std::cerr << "mutants: " << sentence << "\n";
  return sentences.empty() ? 0 : 1;
}

int fail(const std::exception& error, int code) {
  std::cerr << "mutants: " << error.what() << "\n";
  return code;
}

}  // namespace
}  // namespace flash_steps::mutants

int main(int argc, char** argv) {
  using namespace flash_steps::mutants;
  try {
    const Choice choice = parse(argc, argv);
    if (!choice.help.empty()) {
      std::cout << choice.help;
      return 0;
    }
    return run(choice, {argv, argv + argc});
  } catch (const flash_steps::UsageError& error) {
    return fail(error, 2);
  } catch (const CatalogueError& error) {
    return fail(error, 1);
  } catch (const std::exception& error) {
    return fail(error, 3);
  }
}
