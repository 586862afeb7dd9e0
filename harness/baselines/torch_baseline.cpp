#include "harness/baselines/torch_baseline.h"

#include <dlfcn.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

#include "harness/base/error.h"
#include "harness/base/folders.h"
#include "harness/base/process.h"
#include "harness/baselines/scores.h"

namespace flash_steps {
namespace {

namespace fs = std::filesystem;

constexpr const char* file_name = "libflash_steps_torch.so";
constexpr const char* variable = "FLASH_STEPS_TORCH_PLUGIN";
constexpr const char* how_to_get_it = "scripts/build_torch_plugin.sh build, where python3 has a torch with CUDA,";

std::string sentence(const fs::path& file, const std::string& reason) {
  return "fa2, cudnn and pytorch need the PyTorch plugin, and " + file.string() + " " + reason;
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
  TorchBaseline(const TorchPlugin& plugin, Baseline baseline, const Problem& problem, const Tensors& tensors,
                const uint8_t* kept)
      : plugin_(plugin), name_(name_of(baseline)), is_backward_(problem.pass != Pass::forward) {
    const flash_steps_problem described{.q = tensors.q,
                                        .k = tensors.k,
                                        .v = tensors.v,
                                        .batch = problem.batch,
                                        .seqlen = problem.seqlen,
                                        .heads = problem.heads,
                                        .head_dim = problem.head_dim,
                                        .seqlen_kv = problem.keys(),
                                        .kv_heads = problem.key_heads(),
                                        .is_bf16 = problem.dtype == Dtype::bf16 ? 1 : 0,
                                        .is_causal = problem.mask == Mask::causal ? 1 : 0,
                                        .dropout = problem.dropout,
                                        .dropout_seed = problem.dropping().seed,
                                        .dropout_offset = problem.dropping().offset,
                                        .kept = kept,
                                        .starts = problem.padding != 0 ? tensors.starts : nullptr,
                                        .kv_starts = problem.padding != 0 ? tensors.kv_starts : nullptr,
                                        .rows = problem.first_query(problem.batch),
                                        .kv_rows = problem.first_key(problem.batch),
                                        .o = is_backward_ ? tensors.o : nullptr,
                                        .d_o = is_backward_ ? tensors.d_o : nullptr,
                                        .lse = is_backward_ ? tensors.lse : nullptr};
    if (const char* error = plugin_.create(name_.c_str(), &described, &attention_)) fail(error);
    // What an operator does not cover shows when it runs, and its first run is its slowest.
    try {
      launch(nullptr);
      long long bytes = 0;
      if (const char* error = plugin_.memory(attention_, &bytes)) fail(error);
      // Of which the outputs are among the tensors.
      workspace_bytes_ = bytes - problem.bytes() - (is_backward_ ? 2 * problem.kv_bytes() : 0);
      if (kept != nullptr) workspace_bytes_ += padded_scores(problem);
    } catch (...) {
      plugin_.destroy(attention_);
      throw;
    }
  }
  ~TorchBaseline() override { plugin_.destroy(attention_); }
  TorchBaseline(const TorchBaseline&) = delete;
  TorchBaseline& operator=(const TorchBaseline&) = delete;

  void launch(CUstream_st* stream) override {
    if (const char* error = plugin_.run(attention_, stream)) fail(error);
  }

  const void* output() const override { return outputs()[0]; }

  const void* gradient(Output output) const override {
    if (!is_backward_) return nullptr;
    return outputs()[output == Output::dq ? 0 : output == Output::dk ? 1 : 2];
  }

  int64_t workspace_bytes() const override { return workspace_bytes_; }

  std::string implementation() const override { return plugin_.description(); }

 private:
  std::array<const void*, FLASH_STEPS_MOST_OUTPUTS> outputs() const {
    std::array<const void*, FLASH_STEPS_MOST_OUTPUTS> found = {};
    if (const char* error = plugin_.outputs(attention_, found.data())) fail(error);
    return found;
  }

  [[noreturn]] void fail(const std::string& error) const {
    const std::string sentence = name_ + " cannot run: " + error;
    if (plugin_.was_out_of_memory() != 0) throw OutOfMemory(sentence);
    throw MachineError(sentence);
  }

  const TorchPlugin& plugin_;
  std::string name_;
  bool is_backward_;
  flash_steps_attention* attention_ = nullptr;
  int64_t workspace_bytes_ = 0;
};

}  // namespace

std::vector<fs::path> TorchPlugin::places() {
  const char* const named = std::getenv(variable);
  if (named != nullptr && *named != '\0') return {named};
  std::vector<fs::path> files;
  if (const fs::path program = executable(); !program.empty()) files.push_back(program.parent_path() / file_name);
  files.push_back(source_folder() / "build" / file_name);
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
    was_out_of_memory = find<flash_steps_was_out_of_memory_function>(library, "flash_steps_was_out_of_memory", file);
    create = find<flash_steps_attention_create_function>(library, "flash_steps_attention_create", file);
    run = find<flash_steps_attention_run_function>(library, "flash_steps_attention_run", file);
    outputs = find<flash_steps_attention_outputs_function>(library, "flash_steps_attention_outputs", file);
    memory = find<flash_steps_attention_memory_function>(library, "flash_steps_attention_memory", file);
    destroy = find<flash_steps_attention_destroy_function>(library, "flash_steps_attention_destroy", file);
    return;
  }
  throw MachineError(sentence(files.front(), std::string("is not there; ") + how_to_get_it + " makes one, and " +
                                                 variable + "=FILE names one elsewhere"));
}

std::unique_ptr<GpuBaseline> make_torch_baseline(const TorchPlugin& plugin, Baseline baseline, const Problem& problem,
                                                 const Tensors& tensors, const uint8_t* kept) {
  return std::make_unique<TorchBaseline>(plugin, baseline, problem, tensors, kept);
}

}  // namespace flash_steps
