#include <map>
#include <numeric>
#include <stdexcept>

#include "harness/base/error.h"
#include "harness/baselines/standard.h"
#include "harness/baselines/torch_baseline.h"
#include "harness/gpu/cuda/check.cuh"
#include "harness/gpu/cuda/device_array.h"
#include "harness/gpu/cuda/tensor_map.h"
#include "harness/gpu/device.h"
#include "harness/gpu/launch.h"
#include "harness/gpu/memory_need.h"
#include "harness/gpu/timing/ceiling.h"
#include "harness/gpu/timing/nvml.h"
#include "harness/gpu/timing/timer.h"
#include "harness/gpu/truth/compare.h"
#include "harness/gpu/truth/inputs.h"
#include "harness/gpu/truth/reference.h"
#include "harness/machine/machine.h"

namespace flash_steps {
namespace {

// A problem in the GPU's memory.
struct LoadedProblem {
  Problem problem;
  int sms;
  DeviceInputs inputs;
  DeviceArray<int> starts;     // of the sequences: in rows of Q
  DeviceArray<int> kv_starts;  // and of K
  DeviceArray<uint16_t> output;
  DeviceArray<float> lse = {};                                      // empty until a variant writes it
  DeviceArray<float> reference = {};                                // empty without a reference
  DeviceArray<float> lse_reference = {};                            // likewise
  std::optional<Difference> ref16 = {};                             // of plain attention in 16 bits
  std::map<Baseline, std::unique_ptr<GpuBaseline>> baselines = {};  // those that were prepared

  DeviceArray<std::byte> workspace = {};  // of the variants; grows with the first that needs more

  int64_t tensor_bytes() const { return inputs.q.bytes() + inputs.k.bytes() + inputs.v.bytes() + output.bytes(); }

  // Of all that is given back when the next problem is loaded, but for what baselines hold.
  int64_t bytes() const {
    return tensor_bytes() + lse.bytes() + reference.bytes() + lse_reference.bytes() + workspace.bytes();
  }

  int64_t workspace_bytes(const Variant& variant) const {
    return variant.workspace_bytes ? variant.workspace_bytes(problem) : 0;
  }

  // Plans made before point to a workspace that may be no more.
  void reserve_workspace(const Variant& variant) {
    if (variant.writes(Output::lse) && lse.size() == 0) lse = DeviceArray<float>(problem.rows());
    const int64_t bytes = workspace_bytes(variant);
    if (bytes <= workspace.size()) return;
    workspace = {};  // its memory may be what the larger one needs
    workspace = DeviceArray<std::byte>(bytes);
  }

  Tensors tensors() {
    return {.q = inputs.q.data(),
            .k = inputs.k.data(),
            .v = inputs.v.data(),
            .o = output.data(),
            .lse = lse.data(),
            .starts = starts.data(),
            .kv_starts = kv_starts.data(),
            .workspace = workspace.data(),
            .tensor_map = encode_tensor_map,
            .sms = sms};
  }

  PlannedVariant plan(const Variant& variant) {
    reserve_workspace(variant);
    return {variant, problem, tensors()};
  }
};

class Gpu final : public Machine, public Stopwatch {
 public:
  Gpu() : nvml_(open_nvml(require_gpu())), facts_(device_facts(nvml_.get())), timer_(facts_.l2_bytes, nvml_.get()) {}

  const DeviceFacts& device() const override { return facts_; }

  Problem default_problem() const override { return {.batch = 16, .heads = 16, .seqlen = 4096}; }

  std::optional<std::string> refusal(const Variant& variant, const Problem& problem) const override {
    if (const auto refused = variant_refusal(variant, problem, facts_)) return refused;
    if (!variant.workspace_bytes) return std::nullopt;  // load() refuses problems that are too large for any variant
    const int64_t held = loaded_ ? loaded_->bytes() : 0;
    return memory_refusal(problem, true, static_cast<int64_t>(gpu_memory().free_bytes) + held, &variant);
  }

  Resources resources(const Variant& variant) override { return variant_resources(variant); }

  void load(const Problem& problem, bool with_reference) override {
    loaded_.reset();  // its memory may be what the next problem needs
    const int64_t free_bytes = static_cast<int64_t>(gpu_memory().free_bytes);
    if (const auto refusal = memory_refusal(problem, with_reference, free_bytes)) throw OutOfMemory(*refusal);

    LoadedProblem next{.problem = problem,
                       .sms = facts_.sm_count,
                       .inputs = make_device_inputs(problem),
                       .starts = DeviceArray<int>(query_starts(problem)),
                       .kv_starts = DeviceArray<int>(key_starts(problem)),
                       .output = DeviceArray<uint16_t>(problem.elements())};
    if (with_reference) {
      next.reference = DeviceArray<float>(problem.elements());
      next.lse_reference = DeviceArray<float>(problem.rows());
      // Where O will be is room for ref16, of which only the errors are kept.
      device_reference(problem, next.inputs, precision_of(problem), next.reference, next.output, next.lse_reference);
      next.ref16 = compare_on_device(next.output, problem.dtype, next.reference);
    }
    poison(next.output);
    loaded_ = std::move(next);
  }

  MemoryUse memory(const Variant& variant) override {
    const LoadedProblem& loaded = loaded_problem();
    return {.tensor_bytes = loaded.tensor_bytes() + lse_bytes(variant, loaded.problem),
            .workspace_bytes = loaded.workspace_bytes(variant)};
  }

  OutputErrors check(const Variant& variant) override {
    LoadedProblem& loaded = loaded_with_reference();
    loaded.reserve_workspace(variant);
    poison(loaded.output);
    poison(loaded.lse);
    launch(variant);
    const OutputErrors of_o = errors_of(loaded);
    return variant.writes(Output::lse) ? worst_of({of_o, lse_errors_of(loaded)}, loaded.problem.dtype) : of_o;
  }

  int differing_repeats(const Variant& variant, int repeats) override {
    LoadedProblem& loaded = loaded_problem();
    const PlannedVariant planned = loaded.plan(variant);
    DeviceArray<uint16_t> first(loaded.output.size());
    DeviceArray<float> first_lse(loaded.lse.size());
    DeviceArray<int> differs{std::vector<int>(repeats)};
    for (int i = 0; i < repeats; i++) {
      poison(loaded.output);
      poison(loaded.lse);
      planned.launch(nullptr);
      wait_for_gpu(planned.name());
      if (i > 0) {
        note_difference(first, loaded.output, differs.data() + i);
        note_difference(first_lse, loaded.lse, differs.data() + i);
      } else {
        check_cuda(cudaMemcpy(first_lse.data(), loaded.lse.data(), first_lse.bytes(), cudaMemcpyDeviceToDevice),
                   "copying the first L");
        check_cuda(cudaMemcpy(first.data(), loaded.output.data(), first.bytes(), cudaMemcpyDeviceToDevice),
                   "copying the first output");
      }
    }
    const std::vector<int> found = differs.to_host();
    return std::accumulate(found.begin(), found.end(), 0);
  }

  void prepare(Baseline baseline) override {
    LoadedProblem& loaded = loaded_problem();
    loaded.baselines.erase(baseline);
    loaded.baselines.emplace(baseline, make_baseline(baseline, loaded));
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
    const PlannedVariant planned = loaded_problem().plan(variant);
    planned.launch(nullptr);
    wait_for_gpu(planned.name());
  }

  std::vector<uint16_t> output() override { return loaded_problem().output.to_host(); }

  std::vector<Timing> time(std::span<const Variant* const> variants, std::span<const Baseline> baselines,
                           const TimingBudget& budget) override {
    LoadedProblem& loaded = loaded_problem();
    if (!facts_.mma_ceiling_tflops) facts_.mma_ceiling_tflops = measure_mma_ceiling(facts_.sm_count);
    for (const Variant* variant : variants) loaded.reserve_workspace(*variant);
    std::vector<Contender> contenders;
    for (const Variant* variant : variants) {
      contenders.push_back(
          {describe(*variant), [planned = loaded.plan(*variant)](CUstream_st* stream) { planned.launch(stream); }});
    }
    for (const Baseline baseline : baselines) {
      contenders.push_back(
          {name_of(baseline), [&launched = prepared(baseline)](CUstream_st* stream) { launched.launch(stream); }});
    }
    return timer_.time(contenders, budget);
  }

  Stopwatch* stopwatch() override { return this; }

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
    if (const auto refused = flash_steps::refusal(baseline, loaded.problem)) throw MachineError(*refused);
    if (baseline == Baseline::standard) return make_standard_attention(loaded.problem, loaded.tensors());
    if (!plugin_) plugin_.emplace();
    return make_torch_baseline(*plugin_, baseline, loaded.problem, loaded.tensors());
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

  static OutputErrors lse_errors_of(LoadedProblem& loaded) {
    const Difference lse = compare_lse_on_device(loaded.lse, loaded.lse_reference);
    return {.output = Output::lse,
            .max_abs = lse.max_abs,
            .rms = lse.rms,
            .max_abs_reference = lse.max_abs_reference,
            .reference = name_of(precision_of(loaded.problem))};
  }

  std::unique_ptr<Nvml> nvml_;
  DeviceFacts facts_;
  RoundTimer timer_;
  std::optional<TorchPlugin> plugin_;  // loaded when first needed
  std::optional<LoadedProblem> loaded_;
};

}  // namespace

std::unique_ptr<Machine> make_gpu() { return std::make_unique<Gpu>(); }

}  // namespace flash_steps
