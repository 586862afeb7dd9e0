// Times things that run on the GPU against each other: kernels, and whatever else can be put on a stream.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "harness/gpu/cuda/device_array.h"
#include "harness/gpu/timing/nvml.h"
#include "harness/machine/timing.h"

struct CUstream_st;  // what CUDA's cudaStream_t points to

namespace flash_steps {

/// One that takes part. `launch` puts all of its work on the stream, without waiting for it.
struct Contender {
  std::string name;
  std::function<void(CUstream_st* stream)> launch;
};

/// Measures in rounds. In each round every contender runs once, in an order that is drawn anew, so that drifting clocks
/// and heat fall on all of them alike: samples of one round are pairs. A mere rotation would leave everyone his
/// neighbour: under a power limit, whoever follows a kernel that draws little power finds higher clocks.
class RoundTimer {
 public:
  /// Beyond this many rounds the seconds of the budget are not waited for: a kernel of 10 µs has said all by then.
  static constexpr int enough_rounds = 1000;

  /// `nvml` may be null, and has to outlive the timer.
  RoundTimer(int64_t l2_bytes, const Nvml* nvml);

  /// Goes on until each contender has the budget's samples, and its seconds or enough_rounds samples, or until the
  /// rounds together have lasted four times as long as that; one Timing each,
  /// in order. Warms up first. Before each sample L2 is overwritten.
  std::vector<Timing> time(std::span<const Contender> contenders, const TimingBudget& budget);

 private:
  DeviceArray<unsigned char> flush_;
  const Nvml* nvml_;
};

}  // namespace flash_steps
