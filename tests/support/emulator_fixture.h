// What the emulator's tests launch tiny kernels with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/emulator/emulator.h"
#include "kernels/isa.cuh"

namespace flash_steps::emulator {

/// A zeroed tensor, aligned as cudaMalloc aligns.
class TestBuffer {
 public:
  TestBuffer(std::string name, size_t bytes, bool writable)
      : name_(std::move(name)),
        bytes_(bytes),
        writable_(writable),
        data_(static_cast<std::byte*>(std::aligned_alloc(256, (bytes + 255) / 256 * 256))) {
    std::memset(data_.get(), 0, bytes);
  }

  template <typename T>
  T* as() const {
    return reinterpret_cast<T*>(data_.get());
  }

  GlobalBuffer view() const { return {name_, data_.get(), bytes_, writable_}; }

 private:
  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };
  std::string name_;
  size_t bytes_;
  bool writable_;
  std::unique_ptr<std::byte, Free> data_;
};

/// Runs a kernel in one CTA.
inline LaunchReport run_cta(int threads, int smem_bytes, const std::vector<GlobalBuffer>& buffers,
                            const std::function<void()>& body) {
  return launch({.threads = threads, .smem_bytes = smem_bytes, .buffers = buffers}, body);
}

/// Number of the calling lane in its warp.
inline int lane_number() { return static_cast<int>(threadIdx.x % 32); }

/// Where thread t's own 16 bytes of shared memory begin.
inline uint32_t chunk_of(unsigned thread) { return shared_base() + thread * 16; }

}  // namespace flash_steps::emulator
