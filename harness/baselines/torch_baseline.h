// FlashAttention-2, cuDNN and PyTorch's own operators through libflash_steps_torch.so (see plugin.h), which is loaded
// only when it is asked for: it takes PyTorch along, and that takes seconds.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "harness/baselines/gpu_baseline.h"
#include "harness/baselines/plugin.h"
#include "harness/contract/kernel.h"
#include "harness/contract/problem.h"
#include "harness/machine/baseline.h"

namespace flash_steps {

/// The functions of a plugin. The library stays in the process once it is loaded: PyTorch cannot be unloaded.
class TorchPlugin {
 public:
  /// Where the plugin is looked for: the file that FLASH_STEPS_TORCH_PLUGIN names, and only there if it is set; else
  /// beside the executable, then in the build folder of the source tree.
  static std::vector<std::filesystem::path> places();

  /// Loads the first of these files that is there. Throws MachineError, with a sentence that says how to get one, when
  /// none is there or when it cannot be loaded.
  explicit TorchPlugin(const std::vector<std::filesystem::path>& files = places());

  flash_steps_plugin_description_function* description = nullptr;
  flash_steps_was_out_of_memory_function* was_out_of_memory = nullptr;
  flash_steps_attention_create_function* create = nullptr;
  flash_steps_attention_run_function* run = nullptr;
  flash_steps_attention_outputs_function* outputs = nullptr;
  flash_steps_attention_memory_function* memory = nullptr;
  flash_steps_attention_destroy_function* destroy = nullptr;
};

/// fa2, cudnn or pytorch on this problem; the tensors' q, k and v stay in place, their o is not used. `kept` is what
/// write_kept_weights() writes, for pytorch with dropout, else null. It and the plugin have to outlive the baseline.
/// Throws MachineError if the operator does not cover the problem, and OutOfMemory if memory does not suffice.
std::unique_ptr<GpuBaseline> make_torch_baseline(const TorchPlugin& plugin, Baseline baseline, const Problem& problem,
                                                 const Tensors& tensors, const uint8_t* kept);

}  // namespace flash_steps
