#include "benchmark/gpu_program.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "harness/base/error.h"
#include "harness/base/file.h"

namespace flash_steps {
namespace {

struct Choice {
  std::string help;  // not empty: print this and stop
  std::string json;
};

Choice parse(const std::string& name, const std::string& description, const std::vector<std::string>& argv) {
  CLI::App app{description, name};
  Choice choice;
  app.add_option("--json", choice.json, "Write what was measured to a file")->type_name("FILE");
  try {
    app.parse(std::vector<std::string>(argv.rbegin(), argv.rend() - 1));  // which the library takes from the back
  } catch (const CLI::CallForHelp&) {
    choice.help = app.help();
  } catch (const CLI::ParseError& error) {
    throw UsageError(std::string(error.what()) + "; --help shows how it is used");
  }
  try {
    if (!choice.json.empty()) check_writable(choice.json);
  } catch (const std::runtime_error& error) {
    throw UsageError(std::string("--json: ") + error.what());
  }
  return choice;
}

int fail(const std::string& name, const std::exception& error, int code) {
  std::cerr << name << ": " << error.what() << "\n";
  return code;
}

}  // namespace

int run_gpu_program(const std::string& name, const std::string& description, const std::vector<std::string>& argv,
                    const MeasureOnGpu& measure) {
  try {
    const Choice choice = parse(name, description, argv);
    std::cout << choice.help;
    return choice.help.empty() ? measure(choice.json, argv) : 0;
  } catch (const KernelError& error) {
    return fail(name, error, 1);
  } catch (const UsageError& error) {
    return fail(name, error, 2);
  } catch (const std::exception& error) {
    return fail(name, error, 3);
  }
}

}  // namespace flash_steps
