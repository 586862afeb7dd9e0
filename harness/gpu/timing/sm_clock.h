// The clock of an SM between two points of a stream, by its own counter of cycles and the GPU's of nanoseconds.
#pragma once

#include <cstdint>
#include <optional>

struct CUstream_st;  // what CUDA's cudaStream_t points to

namespace flash_steps {

/// Notes the counters at up to `points` points.
class SmClock {
 public:
  explicit SmClock(int points);
  ~SmClock();
  SmClock(const SmClock&) = delete;
  SmClock& operator=(const SmClock&) = delete;

  /// Puts the noting on the stream, a kernel of a few microseconds; a point is noted anew each time.
  void note(int point, CUstream_st* stream);

  /// MHz, in the mean between two points that the GPU has come to; nothing if they were noted on different SMs, whose
  /// counters do not start together, or if the GPU's nanoseconds have not moved.
  std::optional<double> mhz_between(int first, int second) const;

  struct Reading {
    uint64_t cycles;
    uint64_t nanoseconds;
    unsigned sm;
  };

 private:
  Reading* readings_ = nullptr;  // in the host's memory, where the GPU writes to it
};

}  // namespace flash_steps
