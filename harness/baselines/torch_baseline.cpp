#include "harness/baselines/torch_baseline.h"

#include <dlfcn.h>

#include <cstdlib>
#include <stdexcept>

#include "harness/base/process.h"
#include "harness/machine/backend.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

constexpr const char* file_name = "libflash_steps_torch.so";
constexpr const char* variable = "FLASH_STEPS_TORCH_PLUGIN";
constexpr const char* how_to_get_it = "scripts/build_torch_plugin.sh build, where python3 has a torch with CUDA,";

std::string sentence(const fs::path& file, const std::string& reason) {
  return "fa2 and cudnn need the PyTorch plugin, and " + file.string() + " " + reason;
}

template <typename Function>
Function* find(void* library, const char* name, const fs::path& file) {
  void* const symbol = dlsym(library, name);
  if (symbol == nullptr) {
    throw MachineError(sentence(file, std::string("has no ") + name + "; " + how_to_get_it + " would make one"));
  }
  return reinterpret_cast<Function*>(symbol);
}

class TorchBaseline final : public GpuBaseline {
 public:
  TorchBaseline(const TorchPlugin& plugin, Baseline baseline, const Problem& problem, const LaunchArguments& arguments)
      : plugin_(plugin), name_(name_of(baseline)) {
    const flash_steps_problem described{.q = arguments.q,
                                        .k = arguments.k,
                                        .v = arguments.v,
                                        .batch = problem.batch,
                                        .seqlen = problem.seqlen,
                                        .heads = problem.heads,
                                        .head_dim = problem.head_dim,
                                        .is_bf16 = problem.dtype == Dtype::bf16 ? 1 : 0};
    if (const char* error = plugin_.create(name_.c_str(), &described, &attention_)) fail<MachineError>(error);
    // What an operator does not cover shows when it runs, and its first run is its slowest.
    try {
      launch(nullptr);
      long long bytes = 0;
      if (const char* error = plugin_.memory(attention_, &bytes)) fail<std::runtime_error>(error);
      workspace_bytes_ = bytes - problem.bytes();  // of which the output is one of the tensors
    } catch (const std::runtime_error& error) {
      plugin_.destroy(attention_);
      throw MachineError(error.what());
    }
  }
  ~TorchBaseline() override { plugin_.destroy(attention_); }
  TorchBaseline(const TorchBaseline&) = delete;
  TorchBaseline& operator=(const TorchBaseline&) = delete;

  void launch(CUstream_st* stream) override {
    if (const char* error = plugin_.run(attention_, stream, &output_)) fail<std::runtime_error>(error);
  }

  const void* output() const override { return output_; }

  int64_t workspace_bytes() const override { return workspace_bytes_; }

  std::string implementation() const override { return plugin_.description(); }

 private:
  template <typename Error>
  [[noreturn]] void fail(const std::string& error) const {
    throw Error(name_ + " cannot run: " + error);
  }

  const TorchPlugin& plugin_;
  std::string name_;
  flash_steps_attention* attention_ = nullptr;
  const void* output_ = nullptr;
  int64_t workspace_bytes_ = 0;
};

}  // namespace

std::vector<fs::path> TorchPlugin::places() {
  const char* const named = std::getenv(variable);
  if (named != nullptr && *named != '\0') return {named};
  std::vector<fs::path> files;
  if (const fs::path program = executable(); !program.empty()) files.push_back(program.parent_path() / file_name);
  files.push_back(fs::path(FLASH_STEPS_SOURCE_DIR) / "build" / file_name);
  return files;
}

TorchPlugin::TorchPlugin(const std::vector<fs::path>& files) {
  for (const fs::path& file : files) {
    std::error_code error;
    if (!fs::exists(file, error)) continue;
    // With a slash, or dlopen would look in the system's folders.
    void* const library = dlopen(fs::absolute(file, error).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      throw MachineError(sentence(file, std::string("cannot be loaded (") + dlerror() + "); " + how_to_get_it +
                                            " would make one for this machine"));
    }
    auto* const version = find<flash_steps_plugin_version_function>(library, "flash_steps_plugin_version", file);
    if (const int found = version(); found != FLASH_STEPS_PLUGIN_VERSION) {
      throw MachineError(sentence(file, "is of version " + std::to_string(found) + " and this build needs " +
                                            std::to_string(FLASH_STEPS_PLUGIN_VERSION) + "; " + how_to_get_it +
                                            " would make one"));
    }
    description = find<flash_steps_plugin_description_function>(library, "flash_steps_plugin_description", file);
    create = find<flash_steps_attention_create_function>(library, "flash_steps_attention_create", file);
    run = find<flash_steps_attention_run_function>(library, "flash_steps_attention_run", file);
    memory = find<flash_steps_attention_memory_function>(library, "flash_steps_attention_memory", file);
    destroy = find<flash_steps_attention_destroy_function>(library, "flash_steps_attention_destroy", file);
    return;
  }
  throw MachineError(sentence(files.front(), std::string("is not there; ") + how_to_get_it + " makes one, and " +
                                                 variable + "=FILE names one elsewhere"));
}

std::unique_ptr<GpuBaseline> make_torch_baseline(const TorchPlugin& plugin, Baseline baseline, const Problem& problem,
                                                 const LaunchArguments& arguments) {
  return std::make_unique<TorchBaseline>(plugin, baseline, problem, arguments);
}

}  // namespace flash_steps
