// Additions to global memory, which a GPU does in any order and the emulator in that of the CTAs.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace flash_steps::emulator {

/// One lane's red.global.add.f32.
struct Addition {
  float* to;
  float value;
};

/// What the additions of PTX do with numbers too small for a normal float: they become zeros of their sign.
inline float flushed(float x) { return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x; }

/// The additions of the CTAs of a launch. Each CTA hands over its own when it ends; they are done when those of all
/// CTAs before it are, so that the sums do not depend on which worker was how fast.
class Reductions {
 public:
  explicit Reductions(int64_t first_cta) : next_(first_cta) {}

  /// Of a CTA, in the order in which it executed them. Each CTA must do so once, also one without any.
  void hand_over(int64_t cta, std::vector<Addition> additions) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace(cta, std::move(additions));
    for (auto first = waiting_.begin(); first != waiting_.end() && first->first == next_; next_++) {
      for (const Addition& addition : first->second) add(addition);
      first = waiting_.erase(first);
    }
  }

 private:
  static void add(const Addition& addition) {
    float sum;
    std::memcpy(&sum, addition.to, sizeof sum);
    sum = flushed(flushed(sum) + flushed(addition.value));
    std::memcpy(addition.to, &sum, sizeof sum);
  }

  std::mutex mutex_;
  int64_t next_;
  std::map<int64_t, std::vector<Addition>> waiting_;  // by CTA, of those behind one that has not ended
};

}  // namespace flash_steps::emulator
