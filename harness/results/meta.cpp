#include "harness/results/meta.h"

#include <ctime>

#ifdef FLASH_STEPS_CUDA
#include <cuda_runtime_api.h>
#endif

#include "harness/base/folders.h"
#include "harness/base/process.h"

namespace flash_steps {
namespace {

std::optional<std::string> git(std::vector<std::string> arguments) {
  std::vector<std::string> argv = {"git", "-C", source_folder().string()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const auto result = run_process(argv);
  if (!result || result->exit_code != 0) return std::nullopt;
  return result->output;
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::string compiler() {
#ifdef __clang__
  return __VERSION__;  // "Clang 14.0.6"
#else
  return "GCC " __VERSION__;
#endif
}

std::optional<std::string> cuda_version() {
#ifdef FLASH_STEPS_CUDA
  return std::to_string(CUDART_VERSION / 1000) + "." + std::to_string(CUDART_VERSION % 1000 / 10);
#else
  return std::nullopt;
#endif
}

}  // namespace

Meta make_meta(std::vector<std::string> argv, const DeviceFacts& device) {
  Meta meta;
  meta.argv = std::move(argv);
  meta.git = git({"rev-parse", "HEAD"});
  if (meta.git) {
    meta.git = meta.git->substr(0, meta.git->find('\n'));
    // Of what a result depends on: the pages and the results of other commands may be ahead of their commit.
    const auto changes =
        git({"status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)docs", ":(exclude)*.md"});
    if (changes) meta.dirty = !changes->empty();
  }
  meta.date = utc_now();
  meta.compiler = compiler();
  meta.cuda = cuda_version();
  if (!device.driver.empty()) meta.driver = device.driver;
  return meta;
}

}  // namespace flash_steps
