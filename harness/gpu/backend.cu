#include <map>
#include <numeric>
#include <stdexcept>

#include "harness/baselines/standard.h"
#include "harness/baselines/torch_baseline.h"
#include "harness/gpu/cuda/check.cuh"
#include "harness/gpu/cuda/device_array.h"
#include "harness/gpu/device.h"
#include "harness/gpu/launch.h"
#include "harness/gpu/memory_need.h"
#include "harness/gpu/timing/ceiling.h"
#include "harness/gpu/timing/nvml.h"
#include "harness/gpu/timing/timer.h"
#include "harness/gpu/truth/compare.h"
#include "harness/gpu/truth/inputs.h"
#include "harness/gpu/truth/reference.h"
#include "harness/machine/backend.h"

namespace flash_steps {
namespace {

// A problem in the GPU's memory.
struct LoadedProblem {
  Problem problem;
  DeviceInputs inputs;
  DeviceArray<uint16_t> output;
  DeviceArray<float> reference;                                // empty without a reference
  std::optional<Difference> ref16;                             // of plain attention in 16 bits
  std::map<Baseline, std::unique_ptr<GpuBaseline>> baselines;  // those that were prepared

  int64_t tensor_bytes() const { return inputs.q.bytes() + inputs.k.bytes() + inputs.v.bytes() + output.bytes(); }

  LaunchArguments arguments() {
    return {inputs.q.data(), inputs.k.data(), inputs.v.data(), output.data(), problem.seqlen, problem.heads};
  }
};

class GpuBackend final : public Backend {
 public:
  GpuBackend()
      : nvml_(open_nvml(require_gpu())), facts_(device_facts(nvml_.get())), timer_(facts_.l2_bytes, nvml_.get()) {}

  const DeviceFacts& device() const override { return facts_; }

  Problem default_problem() const override { return {.batch = 16, .heads = 16, .seqlen = 4096}; }

  std::optional<std::string> refusal(const Variant& variant, const Problem& problem) const override {
    return variant_refusal(variant, problem, facts_);
  }

  Resources resources(const Variant& variant) override { return variant_resources(variant); }

  void load(const Problem& problem, bool with_reference) override {
    loaded_.reset();  // its memory may be what the next problem needs
    size_t free_bytes = 0;
    size_t total_bytes = 0;
    check_cuda(cudaMemGetInfo(&free_bytes, &total_bytes), "asking for the free memory of the GPU");
    if (const auto refusal = memory_refusal(problem, with_reference, static_cast<int64_t>(free_bytes))) {
      throw MachineError(*refusal);
    }

    LoadedProblem next{problem, make_device_inputs(problem), DeviceArray<uint16_t>(problem.elements()), {}, {}, {}};
    if (with_reference) {
      next.reference = DeviceArray<float>(problem.elements());
      // Where O will be is room for ref16, of which only the errors are kept.
      device_reference(problem, next.inputs, precision_of(problem), next.reference, next.output);
      next.ref16 = compare_on_device(next.output, problem.dtype, next.reference);
    }
    poison(next.output);
    loaded_ = std::move(next);
  }

  MemoryUse memory() override { return {.tensor_bytes = loaded_problem().tensor_bytes()}; }

  OutputErrors check(const Variant& variant) override {
    LoadedProblem& loaded = loaded_with_reference();
    poison(loaded.output);
    launch(variant);
    return errors_of(loaded);
  }

  int differing_repeats(const Variant& variant, int repeats) override {
    LoadedProblem& loaded = loaded_problem();
    allow_shared_memory(variant);
    DeviceArray<uint16_t> first(loaded.output.size());
    DeviceArray<int> differs{std::vector<int>(repeats)};
    for (int i = 0; i < repeats; i++) {
      DeviceArray<uint16_t>& output = i == 0 ? first : loaded.output;
      poison(output);
      LaunchArguments arguments = loaded.arguments();
      arguments.o = output.data();
      launch_variant(variant, loaded.problem, arguments, nullptr);
      wait_for_gpu(describe(variant));
      if (i > 0) note_difference(first, output, differs.data() + i);
    }
    const std::vector<int> found = differs.to_host();
    return std::accumulate(found.begin(), found.end(), 0);
  }

  std::optional<std::string> prepare(Baseline baseline) override {
    LoadedProblem& loaded = loaded_problem();
    loaded.baselines.erase(baseline);
    try {
      loaded.baselines.emplace(baseline, make_baseline(baseline, loaded));
      return std::nullopt;
    } catch (const MachineError& error) {
      return error.what();
    }
  }

  std::string implementation(Baseline baseline) const override { return prepared(baseline).implementation(); }

  MemoryUse memory(Baseline baseline) override {
    return {.tensor_bytes = loaded_problem().tensor_bytes(), .workspace_bytes = prepared(baseline).workspace_bytes()};
  }

  OutputErrors check(Baseline baseline) override {
    LoadedProblem& loaded = loaded_with_reference();
    GpuBaseline& prepared_baseline = prepared(baseline);
    poison(loaded.output);
    prepared_baseline.launch(nullptr);
    wait_for_gpu(name_of(baseline));
    if (const void* const own = prepared_baseline.output(); own != loaded.output.data()) {
      check_cuda(cudaMemcpy(loaded.output.data(), own, loaded.output.bytes(), cudaMemcpyDeviceToDevice),
                 "copying the output of a baseline");
    }
    return errors_of(loaded);
  }

  void launch(const Variant& variant) override {
    LoadedProblem& loaded = loaded_problem();
    allow_shared_memory(variant);
    launch_variant(variant, loaded.problem, loaded.arguments(), nullptr);
    wait_for_gpu(describe(variant));
  }

  std::vector<uint16_t> output() override { return loaded_problem().output.to_host(); }

  std::vector<Timing> time(std::span<const Variant* const> variants, std::span<const Baseline> baselines,
                           const TimingBudget& budget) override {
    LoadedProblem& loaded = loaded_problem();
    if (!facts_.mma_ceiling_tflops) facts_.mma_ceiling_tflops = measure_mma_ceiling(facts_.sm_count);
    std::vector<Contender> contenders;
    for (const Variant* variant : variants) {
      allow_shared_memory(*variant);
      contenders.push_back({describe(*variant), [variant, &loaded](CUstream_st* stream) {
                              launch_variant(*variant, loaded.problem, loaded.arguments(), stream);
                            }});
    }
    for (const Baseline baseline : baselines) {
      contenders.push_back(
          {name_of(baseline), [&launched = prepared(baseline)](CUstream_st* stream) { launched.launch(stream); }});
    }
    return timer_.time(contenders, budget);
  }

  std::optional<Observation> observation() const override { return std::nullopt; }

 private:
  LoadedProblem& loaded_problem() {
    if (!loaded_) throw std::logic_error("no problem is loaded");
    return *loaded_;
  }

  LoadedProblem& loaded_with_reference() {
    LoadedProblem& loaded = loaded_problem();
    if (!loaded.ref16) throw std::logic_error("the problem was loaded without a reference to check against");
    return loaded;
  }

  GpuBaseline& prepared(Baseline baseline) const {
    if (!loaded_ || loaded_->baselines.count(baseline) == 0) {
      throw std::logic_error(std::string("the baseline ") + name_of(baseline) + " is not prepared");
    }
    return *loaded_->baselines.at(baseline);
  }

  std::unique_ptr<GpuBaseline> make_baseline(Baseline baseline, LoadedProblem& loaded) {
    if (baseline == Baseline::standard) return make_standard_attention(loaded.problem, loaded.arguments());
    if (!plugin_) plugin_.emplace();
    return make_torch_baseline(*plugin_, baseline, loaded.problem, loaded.arguments());
  }

  // Of the output that lies there.
  static OutputErrors errors_of(LoadedProblem& loaded) {
    const Difference output = compare_on_device(loaded.output, loaded.problem.dtype, loaded.reference);
    return {.max_abs = output.max_abs,
            .rms = output.rms,
            .ref16_max_abs = loaded.ref16->max_abs,
            .ref16_rms = loaded.ref16->rms,
            .max_abs_reference = output.max_abs_reference,
            .reference = name_of(precision_of(loaded.problem))};
  }

  std::unique_ptr<Nvml> nvml_;
  DeviceFacts facts_;
  RoundTimer timer_;
  std::optional<TorchPlugin> plugin_;  // loaded when first needed
  std::optional<LoadedProblem> loaded_;
};

}  // namespace

std::unique_ptr<Backend> make_gpu() { return std::make_unique<GpuBackend>(); }

}  // namespace flash_steps
