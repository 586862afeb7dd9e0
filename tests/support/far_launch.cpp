#include "tests/support/far_launch.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "harness/contract/coverage.h"
#include "harness/emulator/emulator.h"

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
          .dtype = variant.dtype};
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

std::optional<FarResult> run_far(const Variant& variant) {
  const Problem near = last_head(variant);
  const Problem far = far_problem(variant);
  const SparseTensor q(far.bytes()), k(far.bytes()), v(far.bytes()), o(far.bytes());
  if (!q.is_there() || !k.is_there() || !v.is_there() || !o.is_there()) return std::nullopt;

  const std::vector<int> starts_of[] = {query_starts(far), key_starts(far)};
  const size_t starts_bytes = starts_of[0].size() * sizeof(int);
  const SparseTensor starts(starts_bytes), kv_starts(starts_bytes), lse(far.rows() * sizeof(float));
  if (!starts.is_there() || !kv_starts.is_there() || !lse.is_there()) return std::nullopt;
  std::copy(starts_of[0].begin(), starts_of[0].end(), starts.data<int>());
  std::copy(starts_of[1].begin(), starts_of[1].end(), kv_starts.data<int>());

  const SparseTensor workspace(variant.workspace_bytes ? variant.workspace_bytes(far) : 0);
  if (!workspace.is_there()) return std::nullopt;

  const HostInputs inputs = make_inputs(near);
  const LastHead last(near, far);
  last.fill(q, inputs.q);
  last.fill(k, inputs.k);
  last.fill(v, inputs.v);
  last.fill(o, std::vector<uint16_t>(near.elements(), 0xffff));

  FarResult result;
  const Tensors tensors{.q = q.data(),
                        .k = k.data(),
                        .v = v.data(),
                        .o = o.data(),
                        .lse = lse.data<float>(),
                        .starts = starts.data<int>(),
                        .kv_starts = kv_starts.data<int>(),
                        .workspace = workspace.data(),
                        .tensor_map = emulated_map};
  for (const Launch& launch : variant.plan(far, tensors)) {
    const emulator::LaunchReport report =
        emulator::launch({.grid_x = launch.grid.x,
                          .grid_y = launch.grid.y,
                          .grid_z = launch.grid.z,
                          .threads = launch.threads,
                          .smem_bytes = launch.smem_bytes,
                          .buffers = {q.buffer("q", false), k.buffer("k", false), v.buffer("v", false),
                                      o.buffer("o", true), lse.buffer("lse", true), starts.buffer("starts", false),
                                      kv_starts.buffer("kv_starts", false), workspace.buffer("workspace", true)},
                          .first_cta = int64_t{launch.grid.x} * (int64_t{launch.grid.y} * launch.grid.z - 1)},
                         launch.call);
    for (const emulator::Hazard& hazard : report.hazards) result.hazards.push_back(to_string(hazard));
  }
  result.errors = compare(near, last.read(o), reference_attention(near, inputs));
  return result;
}

}  // namespace flash_steps
