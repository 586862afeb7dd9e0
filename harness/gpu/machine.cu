#include <map>
#include <numeric>
#include <stdexcept>

#include "harness/base/error.h"
#include "harness/baselines/scores.h"
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
#include "harness/gpu/truth/gradients.h"
#include "harness/gpu/truth/inputs.h"
#include "harness/gpu/truth/reference.h"
#include "harness/machine/machine.h"

namespace flash_steps {
namespace {

// A 16-bit tensor that kernels compute, and what it should be.
struct OutputTensor {
  Output output;
  DeviceArray<uint16_t> bits;
  DeviceArray<float> reference;     // empty without a reference
  std::optional<Difference> ref16;  // of plain attention in 16 bits
};

// A problem in the GPU's memory.
struct LoadedProblem {
  Problem problem;
  int sms;
  DeviceInputs inputs;
  DeviceArray<int> starts;            // of the sequences: in rows of Q
  DeviceArray<int> kv_starts;         // and of K
  std::vector<OutputTensor> outputs;  // O; or dQ, dK and dV
  DeviceArray<uint16_t> o;            // of a backward pass, whose input it is
  DeviceArray<float> lse;             // likewise; of a forward pass empty until a variant writes it
  DeviceArray<float> lse_reference;   // of a forward pass with a reference
  DeviceArray<uint8_t> kept;          // of dropout: for a baseline that does not draw it itself
  std::map<Baseline, std::unique_ptr<GpuBaseline>> baselines;  // those that were prepared

  DeviceArray<std::byte> workspace = {};  // of the variants; grows with the first that needs more

  bool is_forward() const { return problem.pass == Pass::forward; }
  bool has_reference() const { return outputs.front().ref16.has_value(); }

  int64_t tensor_bytes() const {
    int64_t bytes = inputs.bytes() + o.bytes() + (is_forward() ? 0 : lse.bytes());
    for (const OutputTensor& output : outputs) bytes += output.bits.bytes();
    return bytes;
  }

  // Of all that is given back when the next problem is loaded, but for what baselines hold.
  int64_t bytes() const {
    int64_t bytes = tensor_bytes() + (is_forward() ? lse.bytes() : 0) + lse_reference.bytes() + workspace.bytes();
    for (const OutputTensor& output : outputs) bytes += output.reference.bytes();
    return bytes;
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

  uint16_t* data_of(Output output) {
    for (OutputTensor& each : outputs) {
      if (each.output == output) return each.bits.data();
    }
    return output == Output::o ? o.data() : nullptr;
  }

  Tensors tensors() {
    return {.q = inputs.q.data(),
            .k = inputs.k.data(),
            .v = inputs.v.data(),
            .o = data_of(Output::o),
            .lse = lse.data(),
            .d_o = inputs.d_o.data(),
            .dq = data_of(Output::dq),
            .dk = data_of(Output::dk),
            .dv = data_of(Output::dv),
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

  void poison_outputs() {
    for (OutputTensor& output : outputs) poison(output.bits);
    if (is_forward()) poison(lse);
  }
};

// Where an output will be is room for ref16, of which only the errors are kept.
void note_ref16(OutputTensor& output, Dtype dtype) {
  output.ref16 = compare_on_device(output.bits, dtype, output.reference);
}

void load_forward(LoadedProblem& next, bool with_reference) {
  const Problem& problem = next.problem;
  OutputTensor& o =
      next.outputs.emplace_back(OutputTensor{Output::o, DeviceArray<uint16_t>(problem.elements()), {}, {}});
  if (!with_reference) return;
  o.reference = DeviceArray<float>(problem.elements());
  next.lse_reference = DeviceArray<float>(problem.rows());
  device_reference(problem, next.inputs, precision_of(problem), o.reference, o.bits, next.lse_reference);
  note_ref16(o, problem.dtype);
}

// O and L are inputs, and those of the reference, so that what is wrong is the backward pass's own.
void load_backward(LoadedProblem& next, bool with_reference) {
  const Problem& problem = next.problem;
  const Precision precision = precision_of(problem);
  DeviceArray<float> o(problem.elements());
  DeviceArray<uint16_t> o16(problem.elements());
  next.lse = DeviceArray<float>(problem.rows());
  device_reference(problem, next.inputs, precision, o, o16, next.lse);
  next.o = rounded_output(o, problem.dtype);
  DeviceGradients<uint16_t> bits(problem);
  DeviceGradients<float> exact;
  if (with_reference) {
    exact = DeviceGradients<float>(problem);
    device_gradients(problem, next.inputs, precision, o, o16, exact, bits);
  }
  next.outputs.push_back({Output::dq, std::move(bits.dq), std::move(exact.dq), {}});
  next.outputs.push_back({Output::dk, std::move(bits.dk), std::move(exact.dk), {}});
  next.outputs.push_back({Output::dv, std::move(bits.dv), std::move(exact.dv), {}});
  if (!with_reference) return;
  for (OutputTensor& output : next.outputs) note_ref16(output, problem.dtype);
}

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

    LoadedProblem next;
    next.problem = problem;
    next.sms = facts_.sm_count;
    next.inputs = make_device_inputs(problem);
    next.starts = DeviceArray<int>(query_starts(problem));
    next.kv_starts = DeviceArray<int>(key_starts(problem));
    if (next.is_forward()) {
      load_forward(next, with_reference);
    } else {
      load_backward(next, with_reference);
    }
    next.poison_outputs();
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
    loaded.poison_outputs();
    launch(variant);
    std::vector<OutputErrors> each = errors_of(loaded);
    if (variant.writes(Output::lse)) each.push_back(lse_errors_of(loaded));
    return each.size() == 1 ? each.front() : worst_of(each, loaded.problem.dtype);
  }

  int differing_repeats(const Variant& variant, int repeats) override {
    LoadedProblem& loaded = loaded_problem();
    const PlannedVariant planned = loaded.plan(variant);
    std::vector<DeviceArray<uint16_t>> first;
    for (const OutputTensor& output : loaded.outputs) first.emplace_back(output.bits.size());
    DeviceArray<float> first_lse(loaded.lse.size());
    DeviceArray<int> differs{std::vector<int>(repeats)};
    for (int i = 0; i < repeats; i++) {
      loaded.poison_outputs();
      planned.launch(nullptr);
      wait_for_gpu(planned.name());
      for (size_t o = 0; o < first.size(); o++) {
        if (variant.repeats(loaded.outputs[o].output)) note_or_copy(i, first[o], loaded.outputs[o].bits, differs);
      }
      note_or_copy(i, first_lse, loaded.lse, differs);
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
    loaded.poison_outputs();
    prepared_baseline.launch(nullptr);
    wait_for_gpu(name_of(baseline));
    for (OutputTensor& output : loaded.outputs) {
      const bool is_o = output.output == Output::o;
      const void* const own = is_o ? prepared_baseline.output() : prepared_baseline.gradient(output.output);
      if (own == output.bits.data()) continue;
      check_cuda(cudaMemcpy(output.bits.data(), own, output.bits.bytes(), cudaMemcpyDeviceToDevice),
                 "copying an output of a baseline");
    }
    const std::vector<OutputErrors> each = errors_of(loaded);
    return each.size() == 1 ? each.front() : worst_of(each, loaded.problem.dtype);
  }

  void launch(const Variant& variant) override {
    const PlannedVariant planned = loaded_problem().plan(variant);
    planned.launch(nullptr);
    wait_for_gpu(planned.name());
  }

  std::vector<uint16_t> output() override {
    std::vector<uint16_t> all;
    for (const OutputTensor& output : loaded_problem().outputs) {
      const std::vector<uint16_t> bits = output.bits.to_host();
      all.insert(all.end(), bits.begin(), bits.end());
    }
    return all;
  }

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
          {name_of(baseline), [&launched = prepared(baseline), baseline](CUstream_st* stream) {
             try {
               launched.launch(stream);
             } catch (const OutOfMemory& error) {  // its library allocates, and keeps apart what is of another stream
               throw BaselineOutOfMemory(baseline, error.what());
             }
           }});
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
    if (!loaded.has_reference()) throw std::logic_error("the problem was loaded without a reference to check against");
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
    if (baseline != Baseline::pytorch || loaded.problem.dropout == 0) {
      return make_torch_baseline(*plugin_, baseline, loaded.problem, loaded.tensors(), nullptr);
    }
    DeviceArray<uint8_t> kept(padded_scores(loaded.problem));  // freed again if the baseline does not fit beside it
    write_kept_weights(loaded.problem, kept.data());
    auto made = make_torch_baseline(*plugin_, baseline, loaded.problem, loaded.tensors(), kept.data());
    loaded.kept = std::move(kept);
    return made;
  }

  // Keeps what the first launch made, and notes where that of another differs.
  template <typename T>
  static void note_or_copy(int i, DeviceArray<T>& first, const DeviceArray<T>& output, DeviceArray<int>& differs) {
    if (i > 0) return note_difference(first, output, differs.data() + i);
    check_cuda(cudaMemcpy(first.data(), output.data(), first.bytes(), cudaMemcpyDeviceToDevice),
               "copying the first output");
  }

  // Of the outputs that lie there.
  static std::vector<OutputErrors> errors_of(LoadedProblem& loaded) {
    std::vector<OutputErrors> each;
    for (const OutputTensor& output : loaded.outputs) {
      const Difference found = compare_on_device(output.bits, loaded.problem.dtype, output.reference);
      each.push_back({.output = output.output,
                      .max_abs = found.max_abs,
                      .rms = found.rms,
                      .ref16_max_abs = output.ref16->max_abs,
                      .ref16_rms = output.ref16->rms,
                      .max_abs_reference = found.max_abs_reference,
                      .reference = name_of(precision_of(loaded.problem))});
    }
    return each;
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
