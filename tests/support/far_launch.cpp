#include "tests/support/far_launch.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "harness/contract/coverage.h"
#include "harness/emulator/emulator.h"
#include "harness/truth/gradients.h"

namespace flash_steps {
namespace {

constexpr int heads = 16;

// Addresses without memory behind them until they are touched.
class SparseTensor {
 public:
  explicit SparseTensor(size_t bytes)
      : bytes_(std::max(bytes, size_t{1})),
        data_(mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {}
  ~SparseTensor() {
    if (is_there()) munmap(data_, bytes_);
  }
  SparseTensor(const SparseTensor&) = delete;
  SparseTensor& operator=(const SparseTensor&) = delete;

  bool is_there() const { return data_ != MAP_FAILED; }
  size_t bytes() const { return bytes_; }
  template <typename T = uint16_t>
  T* data() const {
    return static_cast<T*>(data_);
  }

  emulator::GlobalBuffer buffer(const char* name, bool writable) const {
    return {name, static_cast<std::byte*>(data_), bytes_, writable};
  }

 private:
  size_t bytes_;
  void* data_;
};

// As the emulator makes them.
TensorMap emulated_map(const TensorMapShape& shape) {
  TensorMap map;
  std::memcpy(map.bytes.data(), &shape, sizeof shape);
  return map;
}

Problem last_head(const Variant& variant) {
  return {.heads = 1,
          .seqlen = seqlen_step(variant.tile),
          .head_dim = variant.coverage.head_dims.front(),
          .dtype = variant.dtype,
          .pass = variant.coverage.passes.front()};
}

Problem far_problem(const Variant& variant) {
  Problem problem = last_head(variant);
  problem.heads = heads;
  problem.batch = static_cast<int>((int64_t{1} << 31) / problem.elements()) + 2;
  return problem;
}

// The rows of the last head of the last sequence, in a tensor of the far problem.
class LastHead {
 public:
  LastHead(const Problem& near, const Problem& far)
      : rows_(near.seqlen),
        row_(near.head_dim),
        stride_(int64_t{far.heads} * far.head_dim),
        first_(far.elements() - near.seqlen * stride_ + (far.heads - 1) * int64_t{far.head_dim}) {}

  void fill(const SparseTensor& tensor, const std::vector<uint16_t>& values) const {
    for (int64_t i = 0; i < rows_; i++) std::copy_n(&values[i * row_], row_, tensor.data() + first_ + i * stride_);
  }

  std::vector<uint16_t> read(const SparseTensor& tensor) const {
    std::vector<uint16_t> values(rows_ * row_);
    for (int64_t i = 0; i < rows_; i++) std::copy_n(tensor.data() + first_ + i * stride_, row_, &values[i * row_]);
    return values;
  }

 private:
  int64_t rows_, row_, stride_, first_;
};

}  // namespace

bool covers_far(const Variant& variant) {
  if (variant.tile.heads != 0 && variant.tile.heads != heads) return false;
  return variant.plan(far_problem(variant), {}).front().grid.z > 1;  // or the last head has no CTAs of its own
}

std::string describe_far(const Variant& variant) {
  return describe(far_problem(variant)) + ", the last head of the last sequence";
}

namespace {

// The tensors of a far problem; those of the other pass are empty.
struct FarTensors {
  explicit FarTensors(const Problem& far, int64_t workspace_bytes)
      : q(far.bytes()),
        k(far.bytes()),
        v(far.bytes()),
        o(far.bytes()),
        lse(far.rows() * sizeof(float)),
        d_o(far.pass == Pass::forward ? 0 : far.bytes()),
        dq(d_o.bytes()),
        dk(d_o.bytes()),
        dv(d_o.bytes()),
        starts((far.batch + 1) * sizeof(int)),
        kv_starts((far.batch + 1) * sizeof(int)),
        workspace(workspace_bytes),
        is_forward(far.pass == Pass::forward) {}

  std::vector<const SparseTensor*> all() const {
    return {&q, &k, &v, &o, &lse, &d_o, &dq, &dk, &dv, &starts, &kv_starts, &workspace};
  }

  const SparseTensor& of(Output output) const {
    return output == Output::dq ? dq : output == Output::dk ? dk : output == Output::dv ? dv : o;
  }

  Tensors arguments() const {
    return {.q = q.data(),
            .k = k.data(),
            .v = v.data(),
            .o = o.data(),
            .lse = lse.data<float>(),
            .d_o = d_o.data(),
            .dq = dq.data(),
            .dk = dk.data(),
            .dv = dv.data(),
            .starts = starts.data<int>(),
            .kv_starts = kv_starts.data<int>(),
            .workspace = workspace.data(),
            .tensor_map = emulated_map};
  }

  std::vector<emulator::GlobalBuffer> buffers() const {
    return {q.buffer("q", false),
            k.buffer("k", false),
            v.buffer("v", false),
            o.buffer("o", is_forward),
            lse.buffer("lse", is_forward),
            d_o.buffer("d_o", false),
            dq.buffer("dq", true),
            dk.buffer("dk", true),
            dv.buffer("dv", true),
            starts.buffer("starts", false),
            kv_starts.buffer("kv_starts", false),
            workspace.buffer("workspace", true)};
  }

  SparseTensor q, k, v, o, lse, d_o, dq, dk, dv, starts, kv_starts, workspace;
  bool is_forward;
};

void fill_inputs(const FarTensors& tensors, const LastHead& last, const Problem& near, const Problem& far,
                 const HostInputs& inputs, const Reference& forward) {
  const std::vector<int> starts = query_starts(far);
  const std::vector<int> kv_starts = key_starts(far);
  std::copy(starts.begin(), starts.end(), tensors.starts.data<int>());
  std::copy(kv_starts.begin(), kv_starts.end(), tensors.kv_starts.data<int>());
  last.fill(tensors.q, inputs.q);
  last.fill(tensors.k, inputs.k);
  last.fill(tensors.v, inputs.v);
  if (tensors.is_forward) return;
  const ForwardOutputs outputs = forward_outputs(near, forward);
  last.fill(tensors.o, outputs.o);
  last.fill(tensors.d_o, inputs.d_o);
  std::copy(outputs.lse.begin(), outputs.lse.end(), tensors.lse.data<float>() + far.rows() - near.rows());
}

OutputErrors errors_of(const Variant& variant, const FarTensors& tensors, const LastHead& last, const Problem& near,
                       const HostInputs& inputs, const Reference& forward) {
  if (tensors.is_forward) return compare(near, last.read(tensors.o), forward);
  const Gradients gradients = reference_gradients(near, inputs, forward);
  std::vector<OutputErrors> each;
  for (const Output output : variant.outputs) {
    const Reference& reference = output == Output::dq   ? gradients.dq
                                 : output == Output::dk ? gradients.dk
                                                        : gradients.dv;
    each.push_back(compare(near, last.read(tensors.of(output)), reference));
    each.back().output = output;
  }
  return worst_of(each, near.dtype);
}

}  // namespace

std::optional<FarResult> run_far(const Variant& variant) {
  const Problem near = last_head(variant);
  const Problem far = far_problem(variant);
  const FarTensors tensors(far, variant.workspace_bytes ? variant.workspace_bytes(far) : 0);
  for (const SparseTensor* tensor : tensors.all()) {
    if (!tensor->is_there()) return std::nullopt;
  }
  const HostInputs inputs = make_inputs(near);
  const Reference forward = reference_attention(near, inputs);
  const LastHead last(near, far);
  fill_inputs(tensors, last, near, far, inputs, forward);
  for (const Output output : variant.outputs) {
    if (output != Output::lse) last.fill(tensors.of(output), std::vector<uint16_t>(near.elements(), 0xffff));
  }

  FarResult result;
  for (const Launch& launch : variant.plan(far, tensors.arguments())) {
    const emulator::LaunchReport report =
        emulator::launch({.grid_x = launch.grid.x,
                          .grid_y = launch.grid.y,
                          .grid_z = launch.grid.z,
                          .threads = launch.threads,
                          .smem_bytes = launch.smem_bytes,
                          .buffers = tensors.buffers(),
                          .first_cta = int64_t{launch.grid.x} * (int64_t{launch.grid.y} * launch.grid.z - 1)},
                         launch.call);
    for (const emulator::Hazard& hazard : report.hazards) result.hazards.push_back(to_string(hazard));
  }
  result.errors = errors_of(variant, tensors, last, near, inputs, forward);
  return result;
}

}  // namespace flash_steps
