// The contract between a kernel file and the harness.
//
// A kernel file defines one template
//
//     template <typename T> __global__ void attention(const T* q, const T* k, const T* v, T* o, int seqlen, int heads);
//
// and registers its instantiations through a Registration at namespace scope. q, k, v and o are row-major
// [batch, seqlen, heads, head_dim] with head_dim = 128. The grid is (seqlen / tile_rows, heads, batch).
// Each kernel file is compiled twice, by nvcc for the GPU and by the host compiler for the emulator; each
// compilation registers its own variants, and the harness never names a kernel.
#pragma once

#include <cstdint>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/isa.cuh"

namespace flash_steps {

/// The only head_dim that the kernels cover.
constexpr int supported_head_dim = 128;

enum class Dtype { fp16, bf16 };

/// Which machine a compilation of a kernel file is for.
enum class Target { gpu, emulator };

#ifdef __CUDACC__
constexpr Target compiled_target = Target::gpu;
#else
constexpr Target compiled_target = Target::emulator;
#endif

/// What the harness must know of one config before it launches it.
struct TileShape {
  std::string config;  ///< name, as in --config=NAME
  int tile_rows;       ///< query rows of a CTA; seqlen must be a multiple
  int tile_cols;       ///< key and value rows of one iteration; seqlen must be a multiple
  int threads;         ///< threads of a CTA
  int smem_bytes;      ///< dynamic shared memory of a CTA
  int heads = 0;       ///< the one number of heads that this variant covers; 0: any
};

template <typename T>
using KernelFunction = void (*)(const T* q, const T* k, const T* v, T* o, int seqlen, int heads);

/// Arguments of a launch with the element type erased.
struct LaunchArguments {
  const void* q;
  const void* k;
  const void* v;
  void* o;
  int seqlen;
  int heads;
};

/// One instantiation of a kernel: one config in one element type, for one target.
struct Variant {
  TileShape tile;
  Dtype dtype;
  void (*function)();                                        ///< the kernel; on the GPU the symbol to launch
  void (*call)(void (*function)(), const LaunchArguments&);  ///< on the emulator: runs one thread of the kernel
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

/// Describes one instantiation; the element type follows from the kernel's signature.
template <typename T>
Variant variant(KernelFunction<T> kernel, const TileShape& tile) {
  return {tile, dtype_of<T>(), reinterpret_cast<void (*)()>(kernel),
          [](void (*function)(), const LaunchArguments& args) {
            reinterpret_cast<KernelFunction<T>>(function)(static_cast<const T*>(args.q), static_cast<const T*>(args.k),
                                                          static_cast<const T*>(args.v), static_cast<T*>(args.o),
                                                          args.seqlen, args.heads);
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
/// default config alone.
template <auto first, auto... rest, typename Make>
std::vector<Variant> variants(Make make) {
  std::vector<Variant> made{make.template operator()<fp16_t, first>(), make.template operator()<bf16_t, first>()};
#ifndef FLASH_STEPS_DEFAULT_CONFIGS_ONLY
  ((made.push_back(make.template operator()<fp16_t, rest>()), made.push_back(make.template operator()<bf16_t, rest>())),
   ...);
#endif
  return made;
}

/// Enters a kernel into the registry. The name of the kernel is its file's name without the ending.
class Registration {
 public:
  Registration(const char* file, const char* summary, std::vector<Variant> variants, Target target = compiled_target);
};

}  // namespace flash_steps
