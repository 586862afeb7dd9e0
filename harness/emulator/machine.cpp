// The emulator as a Machine.

#include "harness/machine/machine.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <type_traits>

#include "harness/base/error.h"
#include "harness/base/parallel.h"
#include "harness/base/text.h"
#include "harness/emulator/emulator.h"
#include "harness/emulator/memory_need.h"
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
class Tensor {
 public:
  explicit Tensor(int64_t elements)
      : elements_(elements), data_(static_cast<T*>(std::aligned_alloc(buffer_alignment, padded_bytes()))) {
    if (!data_)
      throw OutOfMemory("no memory for a tensor of " + readable_bytes(static_cast<double>(bytes())) +
                        "; a smaller shape fits");
  }

  explicit Tensor(const std::vector<T>& values) : Tensor(static_cast<int64_t>(values.size())) {
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
    std::memset(data_.get(), 0xff, bytes());  // NaN in all types: an element that is never stored must not look right
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

using Tensor16 = Tensor<uint16_t>;

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
    const int64_t held = tensors_ && problem == problem_ ? emulator_memory_need(problem, true) : 0;
    if (const auto refused = emulator_memory_refusal(problem, true, 0, held)) return refused;
    // Asked only where the problem fits by itself: of others it may be more than 64 bits count.
    const int64_t workspace = variant.workspace_bytes ? variant.workspace_bytes(problem) : 0;
    return emulator_memory_refusal(problem, true, workspace, held);
  }

  Resources resources(const Variant& variant) override { return {.smem_bytes = variant.tile.smem_bytes}; }

  void load(const Problem& problem, bool with_reference) override {
    tensors_.reset();
    lse_.reset();
    reference_.reset();
    observation_ = {};
    if (const auto refused = emulator_memory_refusal(problem, with_reference)) throw OutOfMemory(*refused);
    try {
      const HostInputs inputs = make_inputs(problem);
      problem_ = problem;
      if (with_reference) reference_ = reference_attention(problem, inputs, threads_);
      tensors_.emplace(Device{Tensor16(inputs.q), Tensor16(inputs.k), Tensor16(inputs.v), Tensor16(problem.elements()),
                              Tensor<int>(query_starts(problem)), Tensor<int>(key_starts(problem))});
    } catch (const std::bad_alloc&) {
      throw OutOfMemory("no memory for seqlen " + std::to_string(problem.seqlen) + "; a smaller shape fits");
    }
  }

  MemoryUse memory(const Variant& variant) override {
    const Device& tensors = loaded();
    return {.tensor_bytes = tensors.q.bytes() + tensors.k.bytes() + tensors.v.bytes() + tensors.o.bytes() +
                            lse_bytes(variant, problem_),
            .workspace_bytes = workspace_bytes(variant)};
  }

  OutputErrors check(const Variant& variant) override {
    if (!reference_) throw std::logic_error("check() needs a problem that was loaded with its reference");
    launch(variant);
    const OutputErrors of_o = compare(problem_, output(), *reference_);
    return lse_ ? worst_of({of_o, compare_lse(lse_->values(), *reference_)}, problem_.dtype) : of_o;
  }

  int differing_repeats(const Variant& variant, int repeats) override {
    launch(variant);
    const auto outputs = [&] { return std::pair(output(), lse_ ? bits_of(*lse_) : std::vector<uint32_t>()); };
    const auto first = outputs();
    int differing = 0;
    for (int i = 1; i < repeats; i++) {
      launch(variant);
      differing += outputs() != first;
    }
    return differing;
  }

  void launch(const Variant& variant) override {
    Device& device = loaded();
    Tensor16 workspace((workspace_bytes(variant) + 1) / 2);
    std::vector<emulator::GlobalBuffer> buffers = {device.q.input("q"),           device.k.input("k"),
                                                   device.v.input("v"),           device.o.output("o"),
                                                   device.starts.input("starts"), device.kv_starts.input("kv_starts")};
    if (workspace.bytes() > 0) buffers.push_back(workspace.output("workspace"));
    lse_.reset();
    if (variant.writes(Output::lse)) buffers.push_back(lse_.emplace(problem_.rows()).output("lse"));

    observation_ = {};
    const Tensors tensors{.q = device.q.data(),
                          .k = device.k.data(),
                          .v = device.v.data(),
                          .o = device.o.data(),
                          .lse = lse_ ? lse_->data() : nullptr,
                          .starts = device.starts.data(),
                          .kv_starts = device.kv_starts.data(),
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

  std::vector<uint16_t> output() override { return loaded().o.values(); }

  Observer* observer() override { return this; }
  const Observation& observation() const override { return observation_; }

 private:
  struct Device {
    Tensor16 q, k, v, o;
    Tensor<int> starts, kv_starts;
  };

  // Of which NaN equals itself.
  static std::vector<uint32_t> bits_of(const Tensor<float>& tensor) {
    std::vector<uint32_t> bits(tensor.bytes() / sizeof(uint32_t));
    std::memcpy(bits.data(), tensor.data(), tensor.bytes());
    return bits;
  }

  int64_t workspace_bytes(const Variant& variant) const {
    return variant.workspace_bytes ? variant.workspace_bytes(problem_) : 0;
  }

  Device& loaded() {
    if (!tensors_) throw std::logic_error("the emulator has no problem; load() one first");
    return *tensors_;
  }

  int threads_;
  uint64_t lane_order_seed_;
  DeviceFacts device_;
  Problem problem_;
  std::optional<Device> tensors_;
  std::optional<Tensor<float>> lse_;  // of the last launch, if that writes it
  std::optional<Reference> reference_;
  Observation observation_;
};

}  // namespace

std::unique_ptr<Machine> make_emulator(int threads, uint64_t lane_order_seed) {
  return std::make_unique<Emulator>(threads, lane_order_seed);
}

}  // namespace flash_steps
