// The contract between a kernel file and the harness.
//
// A kernel file of the plain form defines one template
//
//     template <typename T> __global__ void attention(const T* q, const T* k, const T* v, T* o, int seqlen, int heads);
//
// and registers its instantiations through a Registration at namespace scope. q, k, v and o are row-major
// [batch, seqlen, heads, head_dim] with head_dim = 128. The grid is (seqlen / tile_rows, heads, batch).
//
// What is special about a kernel stands in its own file: one that takes several launches, a workspace, tensor maps or
// other problems makes its Variants with a plan of its own and says what they cover, and what they need of a GPU.
//
// Each kernel file is compiled twice, by nvcc for the GPU and by the host compiler for the emulator; each
// compilation registers its own variants, and the harness never names a kernel.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "harness/contract/problem.h"
#include "kernels/element.h"

namespace flash_steps {

/// Which machine a compilation of a kernel file is for.
enum class Target { gpu, emulator };

#ifdef __CUDACC__
constexpr Target compiled_target = Target::gpu;
#else
constexpr Target compiled_target = Target::emulator;
#endif

/// What the harness must know of one config before it launches it.
struct TileShape {
  std::string config;   ///< name, as in --config=NAME
  int tile_rows;        ///< query rows of a CTA; seqlen must be a multiple
  int tile_cols;        ///< key and value rows of one iteration; the number of keys must be a multiple
  int threads;          ///< threads of a CTA
  int smem_bytes;       ///< dynamic shared memory of a CTA
  int heads = 0;        ///< the one number of heads that this variant covers; 0: any
  bool scalar = false;  ///< lanes multiply one number by another, without tensor cores
};

/// Which problems a variant computes, besides what its tile says. By default those of the sixteen.
struct Coverage {
  std::vector<int> head_dims = {default_head_dim};
  std::vector<Mask> masks = {Mask::none};
  std::vector<Pass> passes = {Pass::forward};
  bool any_length = false;       ///< also lengths that are no multiple of the tile
  bool unequal_lengths = false;  ///< other numbers of keys than of queries
  bool grouped_heads = false;    ///< fewer heads of K and V than of Q
  bool dropout = false;
  bool packed = false;  ///< sequences of different lengths
};

/// The oldest GPU that has the instructions of a kernel, in NVIDIA's numbers of compute capability.
struct Architecture {
  int major = 8;
  int minor = 0;
  bool exactly = false;  ///< no newer one has them either: those of sm_90a
};

/// A tensor as the TMA unit of Hopper reads or writes it in boxes; see the CUDA Driver API, cuTensorMapEncodeTiled, for
/// the terms. The innermost dimension comes first; elements are of 16 bits.
struct TensorMapShape {
  const void* base;                 ///< in global memory, a multiple of 16
  std::array<uint64_t, 5> sizes;    ///< elements in each dimension
  std::array<uint64_t, 4> strides;  ///< bytes from one element to the next, of dimension 1 and on; multiples of 16
  std::array<uint32_t, 5> box;      ///< elements of a box, at most 256 in each dimension
  bool swizzle_128 = true;  ///< the 128-byte swizzle; the first two sizes of the box then fill rows of 128 bytes
};

/// What a kernel takes as a tensor map: `const __grid_constant__ TensorMap`. Its bytes are the machine's own.
struct alignas(128) TensorMap {
  std::array<std::byte, 128> bytes{};
};

/// The memory that a plan puts into its launches, and what the machine makes for them. O and LSE are outputs of the
/// forward pass and inputs of the backward one. A tensor that its pass does not have is null.
struct Tensors {
  const void* q = nullptr;
  const void* k = nullptr;
  const void* v = nullptr;
  void* o = nullptr;
  /// ln Σ exp(S) of a query; +∞ if it attends to no key: [batch, heads, seqlen], and of packed sequences [heads, its
  /// queries] of each, one behind the other.
  float* lse = nullptr;
  const void* d_o = nullptr;  ///< the gradient of O, in its layout, as are those of Q, K and V in theirs
  void* dq = nullptr;
  void* dk = nullptr;
  void* dv = nullptr;
  const int* starts = nullptr;     ///< [batch + 1]: the first query of each sequence, and how many there are
  const int* kv_starts = nullptr;  ///< [batch + 1]: the same of keys
  void* workspace = nullptr;       ///< of Variant::workspace_bytes, 256-byte aligned; nobody clears it
  std::function<TensorMap(const TensorMapShape&)> tensor_map = [](const TensorMapShape&) { return TensorMap{}; };
  int sms = 1;  ///< of the machine: as many CTAs as work at one time, for a grid that does not follow from the problem
};

struct Grid {
  int x = 1;
  int y = 1;
  int z = 1;
  bool operator==(const Grid&) const = default;
};

/// One launch of a __global__ function, with its arguments.
struct Launch {
  std::string function;  ///< with its template arguments, as the compiler writes them: "attention<fp16_t, 64, true>"
  Grid grid;
  int threads;
  int smem_bytes;
  int cluster = 1;                           ///< CTAs along x that share their shared memory
  const void* symbol = nullptr;              ///< of the function, for CUDA
  std::vector<void*> arguments = {};         ///< where each lies, for CUDA
  std::function<void()> call = {};           ///< runs one thread of the function, for the emulator
  std::shared_ptr<const void> storage = {};  ///< what the arguments lie in
};

/// One instantiation of a kernel: one config in one element type, for one target.
struct Variant {
  TileShape tile;
  Dtype dtype;
  Coverage coverage = {};
  Architecture needs = {};
  /// The launches that compute a problem, one after the other. With Tensors{} it tells their functions, threads and
  /// shared memory alone.
  std::function<std::vector<Launch>(const Problem&, const Tensors&)> plan = {};
  std::function<int64_t(const Problem&)> workspace_bytes = {};  ///< empty: none
  std::vector<Output> outputs = {Output::o};                    ///< what it writes, and is judged by
  /// Of those the ones that CTAs add up in an order that nobody knows, so that repeats on a GPU differ.
  std::vector<Output> unordered = {};
  std::string kernel = {};  ///< the name of its kernel; the registry fills it in

  bool repeats(Output output) const { return std::find(unordered.begin(), unordered.end(), output) == unordered.end(); }
  bool writes(Output output) const { return std::find(outputs.begin(), outputs.end(), output) != outputs.end(); }
};

template <typename T>
constexpr Dtype dtype_of();
template <>
constexpr Dtype dtype_of<fp16_t>() {
  return Dtype::fp16;
}
template <>
constexpr Dtype dtype_of<bf16_t>() {
  return Dtype::bf16;
}

namespace detail {

// The name of a function with its template arguments, out of what the compiler calls this one.
template <auto function>
std::string name_of_function() {
  const std::string_view text = __PRETTY_FUNCTION__;
  const std::string_view begin = "function = ";
  const size_t at = text.find(begin) + begin.size();
  std::string name(text.substr(at, text.find_first_of(";]", at) - at));
  name.erase(0, name.rfind(':', name.find('<')) + 1);  // its namespaces, and those of its arguments
  constexpr std::string_view scope = "flash_steps::";
  for (size_t found; (found = name.find(scope)) != std::string::npos;) name.erase(found, scope.size());
  return name;
}

template <typename Function>
struct Parameters;
template <typename... Types>
struct Parameters<void (*)(Types...)> {
  using Tuple = std::tuple<Types...>;
};

// Of a kernel of the plain form.
template <typename Function>
struct Element;
template <typename T>
struct Element<void (*)(const T*, const T*, const T*, T*, int, int)> {
  using Type = T;
};

}  // namespace detail

/// A launch of `function`, a __global__ one, with these arguments.
template <auto function, typename... Arguments>
Launch launch(Grid grid, int threads, int smem_bytes, const Arguments&... arguments) {
  using Tuple = typename detail::Parameters<decltype(function)>::Tuple;
  const auto stored = std::make_shared<Tuple>(arguments...);
  Launch made{detail::name_of_function<function>(), grid, threads, smem_bytes};
  std::apply([&](auto&... each) { (made.arguments.push_back(&each), ...); }, *stored);
  made.storage = stored;
  if constexpr (compiled_target == Target::gpu) {
    made.symbol = reinterpret_cast<const void*>(function);
  } else {
    made.call = [values = stored.get()] { std::apply(function, *values); };
  }
  return made;
}

/// Describes one instantiation of the plain form; the element type follows from the function's signature.
template <auto function>
Variant variant(const TileShape& tile) {
  using T = typename detail::Element<decltype(function)>::Type;
  return {.tile = tile, .dtype = dtype_of<T>(), .plan = [tile](const Problem& problem, const Tensors& tensors) {
            return std::vector{launch<function>({problem.seqlen / tile.tile_rows, problem.heads, problem.batch},
                                                tile.threads, tile.smem_bytes, static_cast<const T*>(tensors.q),
                                                static_cast<const T*>(tensors.k), static_cast<const T*>(tensors.v),
                                                static_cast<T*>(tensors.o), problem.seqlen, problem.heads)};
          }};
}

/// Its arguments one after the other, for the name of a config.
template <typename... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream stream;
  (stream << ... << parts);
  return stream.str();
}

/// The variants of a list of configs in both types, the default config first. `make` is a generic lambda that takes
/// the element type and the config as template arguments. The build option FLASH_STEPS_ALL_CONFIGS=OFF keeps the
/// default config alone, and FLASH_STEPS_EMULATOR_ALL_CONFIGS=OFF does for the emulator.
template <auto first, auto... rest, typename Make>
std::vector<Variant> variants(Make make) {
  std::vector<Variant> made{make.template operator()<fp16_t, first>(), make.template operator()<bf16_t, first>()};
#ifndef FLASH_STEPS_DEFAULT_CONFIGS_ONLY
  ((made.push_back(make.template operator()<fp16_t, rest>()), made.push_back(make.template operator()<bf16_t, rest>())),
   ...);
#endif
  return made;
}

/// What a kernel file says of itself when its code is loaded.
struct Registered {
  std::string name;  ///< of the file, without its ending
  std::string summary;
  Target target;
  std::vector<Variant> variants;
};

/// Enters a kernel into the registry. The name of the kernel is its file's name without the ending.
class Registration {
 public:
  Registration(const char* file, const char* summary, std::vector<Variant> variants, Target target = compiled_target);
};

}  // namespace flash_steps
