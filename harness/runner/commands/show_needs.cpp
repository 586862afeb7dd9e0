#include <filesystem>
#include <iostream>

#include "harness/base/error.h"
#include "harness/contract/select.h"
#include "harness/runner/commands/commands.h"

namespace flash_steps {
namespace {

// Whether a command looks into the code of kernels other than those that it names: for advice, or for all pages.
bool needs_all(const Options& options) {
  const Settings& settings = options.settings;
  const bool is_of_other_kind = settings.seqlen_kv != 0 || settings.kv_heads != 0 || settings.mask != Mask::none ||
                                settings.dropout != 0 || settings.padding != 0 ||
                                settings.pass.value_or(Pass::forward) != Pass::forward ||
                                settings.head_dim != default_head_dim;
  return is_of_other_kind || options.update || options.bounds;
}

bool needs_code(const Options& options) {
  return options.mode != Mode::diff && options.mode != Mode::version && options.mode != Mode::completion &&
         options.mode != Mode::errors && options.mode != Mode::stale &&
         (options.mode != Mode::table || options.update || options.bounds);
}

#ifdef FLASH_STEPS_CUDA
constexpr bool has_cuda = true;
#else
constexpr bool has_cuda = false;
#endif

// Without asking CUDA, which takes its time.
bool has_gpu() {
  std::error_code error;
  return std::filesystem::exists("/dev/nvidia0", error) || std::filesystem::exists("/dev/dxg", error);
}

// The GPU's code: to run it, or to read it.
bool needs_gpu(const Options& options) {
  const bool reads = options.mode == Mode::machine_code || (options.mode == Mode::predict && options.sass == "built");
  if (!has_cuda || reads) return has_cuda;
  const bool runs = options.mode == Mode::measure || options.mode == Mode::check_only || options.mode == Mode::profile;
  return runs && options.device != DeviceChoice::emulator && has_gpu();
}

}  // namespace

int show_needs(int argc, const char* const* argv) {
  try {
    std::vector<const char*> arguments(argv, argv + argc);
    arguments.erase(arguments.begin() + 1);  // --needs
    const Options options = parse_options(static_cast<int>(arguments.size()), arguments.data());
    if (!options.help.empty() || !needs_code(options)) return 0;
    if (options.mode == Mode::site) {
      std::cout << "site_text\n";
      return 0;
    }
    Selection selected;
    if (options.kernels.empty() || needs_all(options)) {
      for (const Kernel& kernel : kernels()) selected.push_back(&kernel);
    } else {
      selected = select_kernels(options.kernels, kernels());
    }
    if (options.mode == Mode::list) std::cout << "--try\n";  // it says of a kernel that it is not built
    for (const Kernel* kernel : selected) {
      std::cout << "kernel_" << kernel->name << "\n";
      if (needs_gpu(options)) std::cout << "kernel_" << kernel->name << "_gpu\n";
    }
  } catch (const UsageError&) {
  }
  return 0;
}

}  // namespace flash_steps
