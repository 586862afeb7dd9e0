#include "harness/site/load_tools.h"

#include <dlfcn.h>

#include <filesystem>

#include "harness/base/error.h"
#include "harness/base/folders.h"
#include "harness/base/process.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

fs::path tools_file() {
  const fs::path beside = executable().parent_path() / "site_text.so";
  std::error_code error;
  return fs::exists(beside, error) ? beside : build_folder() / "site_text.so";
}

const TextTools& load(const fs::path& file) {
  void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw MachineError("a site needs " + file.string() + ", which cannot be loaded (" + dlerror() +
                       "); scripts/setup.sh --site installs what it is built with, and ./runner --site builds it");
  }
  void* const function = dlsym(library, text_tools_function);
  if (function == nullptr) throw MachineError(file.string() + " is not of this build; ./runner --site builds it anew");
  return reinterpret_cast<TextToolsFunction*>(function)();
}

}  // namespace

bool has_text_tools() {
  std::error_code error;
  return fs::exists(tools_file(), error);
}

const TextTools& text_tools() {
  static const TextTools& tools = load(tools_file());
  return tools;
}

}  // namespace flash_steps
