// Memory of the GPU that frees itself.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

namespace flash_steps {

/// 256-byte aligned. Throws OutOfMemory, with what was asked for and what is free, when memory does not suffice.
void* device_allocate(int64_t bytes);
void device_free(void* data) noexcept;

/// Both wait for the GPU to finish what it is doing.
void copy_to_device(void* device, const void* host, int64_t bytes);
void copy_to_host(void* host, const void* device, int64_t bytes);

/// `size` elements in the GPU's memory, uninitialised or copied from the host.
template <typename T>
class DeviceArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  DeviceArray() = default;

  explicit DeviceArray(int64_t size)
      : data_(static_cast<T*>(device_allocate(size * static_cast<int64_t>(sizeof(T))))), size_(size) {}

  explicit DeviceArray(const std::vector<T>& host) : DeviceArray(static_cast<int64_t>(host.size())) {
    copy_to_device(data(), host.data(), bytes());
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  int64_t size() const { return size_; }
  int64_t bytes() const { return size_ * static_cast<int64_t>(sizeof(T)); }

  std::vector<T> to_host() const {
    std::vector<T> host(size_);
    copy_to_host(host.data(), data(), bytes());
    return host;
  }

 private:
  struct Free {
    void operator()(T* data) const noexcept { device_free(data); }
  };

  std::unique_ptr<T, Free> data_;
  int64_t size_ = 0;
};

}  // namespace flash_steps
