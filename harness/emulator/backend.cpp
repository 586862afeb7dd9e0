// The emulator as a Backend.

#include "harness/machine/backend.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <thread>

#include "harness/contract/registry.h"
#include "harness/emulator/emulator.h"
#include "harness/truth/inputs.h"
#include "harness/truth/reference.h"

namespace flash_steps {
namespace {

// The most that any GPU of the project lets a CTA have: 227 KiB on sm_90.
constexpr int smem_bytes_per_cta = 232448;
constexpr size_t buffer_alignment = 256;  // as cudaMalloc aligns, or sectors are not those of a GPU

// A field of /proc/meminfo in bytes; 0 where there is none.
int64_t memory_info(const std::string& field) {
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::string unit;
  int64_t kibibytes = 0;
  while (file >> name >> kibibytes) {
    if (name == field + ":") return kibibytes * 1024;
    std::getline(file, unit);
  }
  return 0;
}

std::string mebibytes(int64_t bytes) { return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB"; }

// Q, K, V and O, the vectors that Q, K and V are made in, and for each element of O its store and its reference.
int64_t bytes_needed(const Problem& problem, bool with_reference) {
  const int64_t stores = problem.bytes() * 4;
  const int64_t reference = problem.elements() * int64_t{sizeof(double) + sizeof(float)};
  return problem.bytes() * 7 + stores + (with_reference ? reference : 0);
}

std::optional<std::string> memory_refusal(const Problem& problem, bool with_reference) {
  const int64_t needed = bytes_needed(problem, with_reference);
  const int64_t available = memory_info("MemAvailable");
  if (available == 0 || needed <= available) return std::nullopt;
  return "batch " + std::to_string(problem.batch) + ", heads " + std::to_string(problem.heads) + ", seqlen " +
         std::to_string(problem.seqlen) + " needs " + mebibytes(needed) + " of memory, but this machine has " +
         mebibytes(available) + " left; a smaller --seqlen, --heads or --batch fits";
}

// Aligned memory of one tensor.
class Tensor16 {
 public:
  explicit Tensor16(int64_t elements)
      : elements_(elements), data_(static_cast<uint16_t*>(std::aligned_alloc(buffer_alignment, padded_bytes()))) {
    if (!data_) throw MachineError("no memory for a tensor of " + mebibytes(elements * 2) + "; a smaller shape fits");
  }

  explicit Tensor16(const std::vector<uint16_t>& values) : Tensor16(static_cast<int64_t>(values.size())) {
    std::copy(values.begin(), values.end(), data_.get());
  }

  uint16_t* data() const { return data_.get(); }
  int64_t bytes() const { return elements_ * int64_t{sizeof(uint16_t)}; }
  std::vector<uint16_t> values() const { return {data_.get(), data_.get() + elements_}; }
  void fill(uint16_t value) { std::fill(data_.get(), data_.get() + elements_, value); }

  emulator::GlobalBuffer buffer(const char* name, bool writable) const {
    return {name, reinterpret_cast<std::byte*>(data_.get()), static_cast<size_t>(elements_) * 2, writable};
  }

 private:
  size_t padded_bytes() const {
    return (static_cast<size_t>(elements_) * 2 + buffer_alignment - 1) / buffer_alignment * buffer_alignment;
  }

  struct Free {
    void operator()(uint16_t* data) const { std::free(data); }
  };
  int64_t elements_;
  std::unique_ptr<uint16_t, Free> data_;
};

struct Tensors {
  Tensor16 q, k, v, o;
};

// "07_autotune 64x64", for hazards.
std::string name_of(const Variant& variant) {
  for (const Kernel& kernel : kernels()) {
    for (const Variant& candidate : kernel.emulator) {
      if (candidate.function == variant.function) return kernel.name + " " + variant.tile.config;
    }
  }
  return variant.tile.config;
}

class EmulatorBackend final : public Backend {
 public:
  EmulatorBackend(int threads, uint64_t lane_order_seed)
      : threads_(threads > 0 ? threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()))),
        lane_order_seed_(lane_order_seed) {
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
    if (tensors_ && problem == problem_) return std::nullopt;
    return memory_refusal(problem, true);
  }

  Resources resources(const Variant& variant) override { return {.smem_bytes = variant.tile.smem_bytes}; }

  void load(const Problem& problem, bool with_reference) override {
    tensors_.reset();
    reference_.reset();
    observation_.reset();
    if (const auto refused = memory_refusal(problem, with_reference)) throw MachineError(*refused);
    try {
      const HostInputs inputs = make_inputs(problem);
      problem_ = problem;
      if (with_reference) reference_ = reference_attention(problem, inputs, threads_);
      tensors_.emplace(
          Tensors{Tensor16(inputs.q), Tensor16(inputs.k), Tensor16(inputs.v), Tensor16(problem.elements())});
    } catch (const std::bad_alloc&) {
      throw MachineError("no memory for seqlen " + std::to_string(problem.seqlen) + "; a smaller shape fits");
    }
  }

  MemoryUse memory() override {
    const Tensors& tensors = loaded();
    return {.tensor_bytes = tensors.q.bytes() + tensors.k.bytes() + tensors.v.bytes() + tensors.o.bytes()};
  }

  OutputErrors check(const Variant& variant) override {
    if (!reference_) throw std::logic_error("check() needs a problem that was loaded with its reference");
    launch(variant);
    return compare(problem_, output(), *reference_);
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
    Tensors& tensors = loaded();
    tensors.o.fill(0xffff);  // NaN in both types: an element that is never stored must not look right
    const LaunchArguments arguments{tensors.q.data(), tensors.k.data(), tensors.v.data(),
                                    tensors.o.data(), problem_.seqlen,  problem_.heads};
    const emulator::LaunchReport report =
        emulator::launch({.kernel = name_of(variant),
                          .grid_x = problem_.seqlen / variant.tile.tile_rows,
                          .grid_y = problem_.heads,
                          .grid_z = problem_.batch,
                          .threads = variant.tile.threads,
                          .smem_bytes = variant.tile.smem_bytes,
                          .buffers = {tensors.q.buffer("q", false), tensors.k.buffer("k", false),
                                      tensors.v.buffer("v", false), tensors.o.buffer("o", true)},
                          .host_threads = threads_,
                          .lane_order_seed = lane_order_seed_},
                         [&] { variant.call(variant.function, arguments); });
    Observation observation{report.counters, report.lines, {}};
    for (const emulator::Hazard& hazard : report.hazards) observation.hazards.push_back(to_string(hazard));
    observation_ = std::move(observation);
  }

  std::optional<std::string> prepare(Baseline baseline) override {
    return std::string(name_of(baseline)) + " runs on a GPU, and this is the emulator; --device=gpu would work";
  }
  std::string implementation(Baseline) const override { throw no_baselines(); }
  MemoryUse memory(Baseline) override { throw no_baselines(); }
  OutputErrors check(Baseline) override { throw no_baselines(); }

  std::vector<uint16_t> output() override { return loaded().o.values(); }

  std::vector<Timing> time(std::span<const Variant* const>, std::span<const Baseline>, const TimingBudget&) override {
    return {};
  }

  std::optional<Observation> observation() const override { return observation_; }

 private:
  static std::logic_error no_baselines() { return std::logic_error("the emulator prepares no baseline"); }

  Tensors& loaded() {
    if (!tensors_) throw std::logic_error("the emulator has no problem; load() one first");
    return *tensors_;
  }

  int threads_;
  uint64_t lane_order_seed_;
  DeviceFacts device_;
  Problem problem_;
  std::optional<Tensors> tensors_;
  std::optional<Reference> reference_;
  std::optional<Observation> observation_;
};

}  // namespace

std::unique_ptr<Backend> make_emulator(int threads, uint64_t lane_order_seed) {
  return std::make_unique<EmulatorBackend>(threads, lane_order_seed);
}

}  // namespace flash_steps
