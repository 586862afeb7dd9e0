// The way to shared memory, which the four sub-cores of an SM share: a queue for each, one request served at a time, a
// cycle for each of its wavefronts. Copies from L2 come back through it too.
#pragma once

#include <cstdint>
#include <deque>
#include <queue>
#include <vector>

#include "harness/predict/sm/recorder.h"
#include "harness/predict/sm/schedule.h"
#include "harness/predict/sm/timings.h"

namespace flash_steps {

/// Whether an instruction of this unit is a request to the pipe.
constexpr bool takes_memory_pipe(Unit unit) {
  switch (unit) {
    case Unit::ldmatrix:
    case Unit::shared_load:
    case Unit::shared_store:
    case Unit::shuffle:
    case Unit::copy:
    case Unit::global_store:
    case Unit::global_load:
    case Unit::local:
      return true;
    default:
      return false;
  }
}

/// What happens to a warp at a time to come.
struct Event {
  enum class Kind : uint8_t { release, fill, copied };
  int64_t time;
  int64_t order;  ///< of two at the same time the one that was made first comes first
  int warp;
  Kind kind;
  int8_t barrier;
  bool operator>(const Event& other) const { return time != other.time ? time > other.time : order > other.order; }
};

class Events {
 public:
  void add(int64_t time, int warp, Event::Kind kind, int barrier = 0) {
    queue_.push({time, order_++, warp, kind, static_cast<int8_t>(barrier)});
  }
  bool due(int64_t now) const { return !queue_.empty() && queue_.top().time <= now; }
  Event take() {
    const Event event = queue_.top();
    queue_.pop();
    return event;
  }
  int64_t next(int64_t otherwise) const { return queue_.empty() ? otherwise : queue_.top().time; }

 private:
  std::priority_queue<Event, std::vector<Event>, std::greater<>> queue_;
  int64_t order_ = 0;
};

/// Numbers from 0 to 1 that look random and are the same in every run (xorshift, Marsaglia 2003).
class Spread {
 public:
  double next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<double>(state_ >> 11) / 9007199254740992.0;
  }

 private:
  uint64_t state_ = 88172645463325252u * 3;
};

class MemoryPipe {
 public:
  MemoryPipe(const SmTimings& timings, const CtaWork& work, Events& events, Spread& spread, Recorder* recorder);

  bool has_room(int sub_core) const { return static_cast<double>(queues_[sub_core].size()) < timings_.queue_entries; }
  void request(int sub_core, int warp, const Step& step, int64_t now);
  /// A copy's data has come.
  void fill(int warp) { fills_.push_back(warp); }
  /// Serves one request, if one can be.
  void step(int64_t now);
  /// The earliest time at which it could serve the next.
  int64_t next(int64_t now, int64_t otherwise) const;

  int64_t busy() const { return busy_; }

 private:
  struct Request {
    int warp;
    const Step* step;
    int64_t ready;
  };
  void serve(int sub_core, int64_t now);
  void occupy(int64_t now, int wavefronts, int sub_core, const Step* step);
  int64_t returned(int sub_core, const Step& step, int wavefronts, int64_t now);

  const SmTimings& timings_;
  const int fill_wavefronts_;
  Events& events_;
  Spread& spread_;
  Recorder* const recorder_;
  std::deque<Request> queues_[4];
  std::deque<int> fills_;
  int64_t next_request_[4] = {};
  int64_t return_free_[4] = {};
  int64_t free_ = 0;
  double l2_free_ = 0;
  int turn_ = 0;
  int64_t busy_ = 0;
};

}  // namespace flash_steps
