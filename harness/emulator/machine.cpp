// The emulator as a Machine.

#include "harness/machine/machine.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/parallel.h"
#include "harness/base/text.h"
#include "harness/emulator/emulator.h"
#include "harness/emulator/memory_need.h"
#include "harness/truth/gradients.h"
#include "harness/truth/inputs.h"
#include "harness/truth/reference.h"

namespace flash_steps {
namespace {

// The most that any GPU of the project lets a CTA have: 227 KiB on sm_90.
constexpr int smem_bytes_per_cta = 232448;
constexpr int sms = 3;                    // a number that divides few grids, and leaves a CTA that stays several tiles
constexpr size_t buffer_alignment = 256;  // as cudaMalloc aligns, or sectors are not those of a GPU

// Aligned memory of one tensor.
template <typename T>
class Memory {
 public:
  explicit Memory(int64_t elements)
      : elements_(elements), data_(static_cast<T*>(std::aligned_alloc(buffer_alignment, padded_bytes()))) {
    if (!data_)
      throw OutOfMemory("no memory for a tensor of " + readable_bytes(static_cast<double>(bytes())) +
                        "; a smaller shape fits");
  }

  explicit Memory(const std::vector<T>& values) : Memory(static_cast<int64_t>(values.size())) {
    std::copy(values.begin(), values.end(), data_.get());
  }

  T* data() const { return data_.get(); }
  int64_t bytes() const { return elements_ * int64_t{sizeof(T)}; }
  std::vector<T> values() const { return {data_.get(), data_.get() + elements_}; }

  emulator::GlobalBuffer input(const char* name) const {
    return {name, reinterpret_cast<std::byte*>(data_.get()), static_cast<size_t>(bytes()), false};
  }

  // Of which nothing is written yet.
  emulator::GlobalBuffer output(const char* name) {
    // NaN in all types: an element that is never stored must not look right
    std::memset(data_.get(), 0xff, bytes());
    written_.assign(bytes() / emulator::Accesses::cell_bytes, false);
    return {name, reinterpret_cast<std::byte*>(data_.get()), static_cast<size_t>(bytes()), true, &written_};
  }

 private:
  size_t padded_bytes() const {
    return (static_cast<size_t>(bytes()) + buffer_alignment - 1) / buffer_alignment * buffer_alignment;
  }

  struct Free {
    void operator()(T* data) const { std::free(data); }
  };
  int64_t elements_;
  std::unique_ptr<T, Free> data_;
  std::vector<bool> written_;
};

using Tensor16 = Memory<uint16_t>;

// The tensors of a problem, and what its outputs should be. Those of the other pass are empty.
struct LoadedProblem {
  Tensor16 q, k, v, o, d_o;
  Memory<float> lse;
  Tensor16 dq, dk, dv;
  Memory<int> starts, kv_starts;
  std::optional<Reference> forward;
  std::optional<Gradients> gradients;

  bool is_backward() const { return d_o.bytes() > 0; }

  emulator::GlobalBuffer buffer_of(Output output) {
    return output == Output::lse ? lse.output(name_of(output)) : tensor_of(output).output(name_of(output));
  }

  OutputErrors errors_of(const Problem& problem, Output output) {
    if (output == Output::lse) return compare_lse(lse.values(), *forward);
    OutputErrors errors = compare(problem, tensor_of(output).values(), reference_of(output));
    errors.output = output;
    return errors;
  }

  void append_bits(Output output, std::vector<uint16_t>& bits) {
    const emulator::GlobalBuffer buffer =
        output == Output::lse ? lse.input(name_of(output)) : tensor_of(output).input(name_of(output));
    const size_t before = bits.size();
    bits.resize(before + buffer.bytes / sizeof(uint16_t));
    std::memcpy(bits.data() + before, buffer.data, buffer.bytes);
  }

  std::vector<emulator::GlobalBuffer> inputs() {
    std::vector<emulator::GlobalBuffer> all = {q.input("q"), k.input("k"), v.input("v"), starts.input("starts"),
                                               kv_starts.input("kv_starts")};
    if (is_backward()) all.insert(all.end(), {o.input("o"), lse.input("lse"), d_o.input("d_o")});
    return all;
  }

  int64_t bytes() const {
    return q.bytes() + k.bytes() + v.bytes() + o.bytes() + d_o.bytes() + dq.bytes() + dk.bytes() + dv.bytes() +
           (is_backward() ? lse.bytes() : 0);
  }

 private:
  Tensor16& tensor_of(Output output) {
    return output == Output::dq ? dq : output == Output::dk ? dk : output == Output::dv ? dv : o;
  }

  const Reference& reference_of(Output output) const {
    if (output == Output::o) return *forward;
    return output == Output::dq ? gradients->dq : output == Output::dk ? gradients->dk : gradients->dv;
  }
};

LoadedProblem load_forward(const Problem& problem, const HostInputs& inputs, bool with_reference, int threads) {
  std::optional<Reference> forward;
  if (with_reference) forward = reference_attention(problem, inputs, threads);
  return {.q = Tensor16(inputs.q),
          .k = Tensor16(inputs.k),
          .v = Tensor16(inputs.v),
          .o = Tensor16(problem.elements()),
          .d_o = Tensor16(0),
          .lse = Memory<float>(problem.rows()),
          .dq = Tensor16(0),
          .dk = Tensor16(0),
          .dv = Tensor16(0),
          .starts = Memory<int>(query_starts(problem)),
          .kv_starts = Memory<int>(key_starts(problem)),
          .forward = std::move(forward),
          .gradients = {}};
}

// O and LSE are inputs, and those of the reference, so that what is wrong is the backward pass's own.
LoadedProblem load_backward(const Problem& problem, const HostInputs& inputs, bool with_reference, int threads) {
  const Reference forward = reference_attention(problem, inputs, threads);
  const ForwardOutputs outputs = forward_outputs(problem, forward);
  std::optional<Gradients> gradients;
  if (with_reference) gradients = reference_gradients(problem, inputs, forward, threads);
  return {.q = Tensor16(inputs.q),
          .k = Tensor16(inputs.k),
          .v = Tensor16(inputs.v),
          .o = Tensor16(outputs.o),
          .d_o = Tensor16(inputs.d_o),
          .lse = Memory<float>(outputs.lse),
          .dq = Tensor16(problem.elements()),
          .dk = Tensor16(problem.kv_elements()),
          .dv = Tensor16(problem.kv_elements()),
          .starts = Memory<int>(query_starts(problem)),
          .kv_starts = Memory<int>(key_starts(problem)),
          .forward = {},
          .gradients = std::move(gradients)};
}

// A tensor map is made of its shape as it is: the emulated TMA unit reads that.
TensorMap tensor_map(const TensorMapShape& shape) {
  static_assert(sizeof shape <= sizeof(TensorMap) && std::is_trivially_copyable_v<TensorMapShape>);
  TensorMap map;
  std::memcpy(map.bytes.data(), &shape, sizeof shape);
  return map;
}

// Shared memory that is asked for and not used keeps other CTAs off the SM. A tail shorter than this may be the padding
// of the last row.
constexpr int64_t padding_bytes = 128;

std::optional<std::string> unused_shared_memory(const Launch& launch, const emulator::LaunchReport& report) {
  // Of a CTA that was given up nobody knows what it would have touched.
  if (!report.hazards.empty() || launch.smem_bytes - report.touched_smem_bytes < padding_bytes) return std::nullopt;
  return "a CTA asks for " + std::to_string(launch.smem_bytes) +
         " bytes of shared memory and none touches any beyond " + std::to_string(report.touched_smem_bytes) +
         ": ask for no more, for what is asked for keeps other CTAs off the SM.";
}

void append(Observation& all, const Launch& launch, const emulator::LaunchReport& report) {
  all.counters += report.counters;
  all.launches.push_back({launch.function.substr(0, launch.function.find('<')), report.counters});
  all.lines.insert(all.lines.end(), report.lines.begin(), report.lines.end());
  for (const emulator::Hazard& hazard : report.hazards) all.hazards.push_back(to_string(hazard));
  if (const auto unused = unused_shared_memory(launch, report)) all.hazards.push_back(*unused);
}

class Emulator final : public Machine, public Observer {
 public:
  Emulator(int threads, uint64_t lane_order_seed)
      : threads_(threads > 0 ? threads : cores()), lane_order_seed_(lane_order_seed) {
    device_.backend = Target::emulator;
    device_.name = "emulator";
    device_.sm_count = threads_;
    device_.memory_bytes = memory_info("MemTotal");
    device_.smem_bytes_per_cta = smem_bytes_per_cta;
  }

  const DeviceFacts& device() const override { return device_; }

  Problem default_problem() const override { return {.batch = 1, .heads = 1, .seqlen = 256, .dtype = Dtype::fp16}; }

  std::optional<std::string> refusal(const Variant& variant, const Problem& problem) const override {
    if (variant.tile.smem_bytes > smem_bytes_per_cta) {
      return "config " + variant.tile.config + " needs " + std::to_string(variant.tile.smem_bytes) +
             " bytes of shared memory, but a CTA can have " + std::to_string(smem_bytes_per_cta) +
             " at most; a smaller tile fits";
    }
    // What load() has taken already is not needed again.
    const int64_t held = loaded_ && problem == problem_ ? emulator_memory_need(problem, true) : 0;
    if (const auto refused = emulator_memory_refusal(problem, true, 0, held)) return refused;
    // Asked only where the problem fits by itself: of others it may be more than 64 bits count.
    const int64_t workspace = variant.workspace_bytes ? variant.workspace_bytes(problem) : 0;
    return emulator_memory_refusal(problem, true, workspace, held);
  }

  Resources resources(const Variant& variant) override { return {.smem_bytes = variant.tile.smem_bytes}; }

  void load(const Problem& problem, bool with_reference) override {
    loaded_.reset();
    observation_ = {};
    if (const auto refused = emulator_memory_refusal(problem, with_reference)) throw OutOfMemory(*refused);
    try {
      const HostInputs inputs = make_inputs(problem);
      problem_ = problem;
      with_reference_ = with_reference;
      const auto load_pass = problem.pass == Pass::forward ? load_forward : load_backward;
      loaded_.emplace(load_pass(problem, inputs, with_reference, threads_));
    } catch (const std::bad_alloc&) {
      throw OutOfMemory("no memory for seqlen " + std::to_string(problem.seqlen) + "; a smaller shape fits");
    }
  }

  MemoryUse memory(const Variant& variant) override {
    return {.tensor_bytes = loaded().bytes() + lse_bytes(variant, problem_),
            .workspace_bytes = workspace_bytes(variant)};
  }

  OutputErrors check(const Variant& variant) override {
    if (!loaded_ || !with_reference_) {
      throw std::logic_error("check() needs a problem that was loaded with its reference");
    }
    launch(variant);
    std::vector<OutputErrors> each;
    for (const Output output : variant.outputs) each.push_back(loaded_->errors_of(problem_, output));
    return each.size() == 1 ? each.front() : worst_of(each, problem_.dtype);
  }

  int differing_repeats(const Variant& variant, int repeats) override {
    launch(variant);
    const std::vector<uint16_t> first = output();
    int differing = 0;
    for (int i = 1; i < repeats; i++) {
      launch(variant);
      differing += output() != first;
    }
    return differing;
  }

  void launch(const Variant& variant) override {
    LoadedProblem& problem = loaded();
    Memory<std::byte> workspace(workspace_bytes(variant));
    std::vector<emulator::GlobalBuffer> buffers = problem.inputs();
    for (const Output output : variant.outputs) buffers.push_back(problem.buffer_of(output));
    if (workspace.bytes() > 0) buffers.push_back(workspace.output("workspace"));
    outputs_ = variant.outputs;

    observation_ = {};
    const Tensors tensors{.q = problem.q.data(),
                          .k = problem.k.data(),
                          .v = problem.v.data(),
                          .o = problem.o.data(),
                          .lse = problem.lse.data(),
                          .d_o = problem.d_o.data(),
                          .dq = problem.dq.data(),
                          .dk = problem.dk.data(),
                          .dv = problem.dv.data(),
                          .starts = problem.starts.data(),
                          .kv_starts = problem.kv_starts.data(),
                          .workspace = workspace.data(),
                          .tensor_map = tensor_map,
                          .sms = sms};
    for (const Launch& launch : variant.plan(problem_, tensors)) {
      append(observation_, launch,
             emulator::launch({.grid_x = launch.grid.x,
                               .grid_y = launch.grid.y,
                               .grid_z = launch.grid.z,
                               .threads = launch.threads,
                               .smem_bytes = launch.smem_bytes,
                               .buffers = buffers,
                               .host_threads = threads_,
                               .lane_order_seed = lane_order_seed_},
                              launch.call));
    }
    if (observation_.launches.size() == 1) observation_.launches.clear();
  }

  std::vector<uint16_t> output() override {
    std::vector<uint16_t> bits;
    for (const Output output : outputs_) loaded().append_bits(output, bits);
    return bits;
  }

  Observer* observer() override { return this; }
  const Observation& observation() const override { return observation_; }

 private:
  int64_t workspace_bytes(const Variant& variant) const {
    return variant.workspace_bytes ? variant.workspace_bytes(problem_) : 0;
  }

  LoadedProblem& loaded() {
    if (!loaded_) throw std::logic_error("the emulator has no problem; load() one first");
    return *loaded_;
  }

  int threads_;
  uint64_t lane_order_seed_;
  DeviceFacts device_;
  Problem problem_;
  bool with_reference_ = false;
  std::optional<LoadedProblem> loaded_;
  std::vector<Output> outputs_ = {Output::o};  // of the last launch
  Observation observation_;
};

}  // namespace

std::unique_ptr<Machine> make_emulator(int threads, uint64_t lane_order_seed) {
  return std::make_unique<Emulator>(threads, lane_order_seed);
}

}  // namespace flash_steps
