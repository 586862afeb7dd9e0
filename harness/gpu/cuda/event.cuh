// CUDA's streams and events as objects that free themselves.
#pragma once

#include "harness/gpu/cuda/check.cuh"

namespace flash_steps {

class Stream {
 public:
  Stream() { check_cuda(cudaStreamCreate(&stream_), "creating a stream"); }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  cudaStream_t get() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

class Event {
 public:
  Event() { check_cuda(cudaEventCreate(&event_), "creating an event"); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  cudaEvent_t get() const { return event_; }
  void record(const Stream& stream) { check_cuda(cudaEventRecord(event_, stream.get()), "recording an event"); }

 private:
  cudaEvent_t event_ = nullptr;
};

/// Both have to have been recorded, and the GPU to have come to the second.
inline double milliseconds_between(const Event& start, const Event& stop) {
  float elapsed = 0;
  check_cuda(cudaEventElapsedTime(&elapsed, start.get(), stop.get()), "reading the time between two events");
  return elapsed;
}

}  // namespace flash_steps
