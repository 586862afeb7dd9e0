#include "harness/predict/sm/memory_pipe.h"

#include <algorithm>
#include <cmath>

namespace flash_steps {
namespace {

constexpr double copied_bytes = 512;  // of an LDGSTS of a warp

}  // namespace

MemoryPipe::MemoryPipe(const SmTimings& timings, const CtaWork& work, Events& events, Spread& spread,
                       Recorder* recorder)
    : timings_(timings),
      fill_wavefronts_(static_cast<int>(std::lround(timings.fill_wavefronts * work.fill_wavefronts / 4))),
      events_(events),
      spread_(spread),
      recorder_(recorder) {}

void MemoryPipe::request(int sub_core, int warp, const Step& step, int64_t now) {
  queues_[sub_core].push_back({warp, &step, now + static_cast<int64_t>(timings_.queue_latency)});
}

void MemoryPipe::step(int64_t now) {
  if (now < free_) return;
  if (!fills_.empty()) {  // what comes from L2 goes first: it has nowhere else to wait
    const int warp = fills_.front();
    fills_.pop_front();
    occupy(now, fill_wavefronts_, warp % 4, nullptr);
    events_.add(free_ + 2, warp, Event::Kind::copied);
    return;
  }
  for (int k = 0; k < 4; k++) {
    const int sub_core = (turn_ + k) & 3;
    const auto& queue = queues_[sub_core];
    if (queue.empty() || queue.front().ready > now || next_request_[sub_core] > now) continue;
    serve(sub_core, now);
    turn_ = (sub_core + 1) & 3;
    return;
  }
}

void MemoryPipe::occupy(int64_t now, int wavefronts, int sub_core, const Step* step) {
  free_ = now + wavefronts;
  busy_ += wavefronts;
  if (recorder_ != nullptr) recorder_->served(now, free_, sub_core, step);
}

// When the last register of a load is back in the sub-core.
int64_t MemoryPipe::returned(int sub_core, const Step& step, int wavefronts, int64_t now) {
  const bool is_one = step.unit == Unit::shuffle || step.unit == Unit::local;
  const double latency = step.unit == Unit::shuffle ? timings_.shuffle_latency
                         : step.unit == Unit::local ? timings_.local_latency
                                                    : timings_.shared_latency;
  const int64_t first = now + static_cast<int64_t>(latency);
  const int64_t moved = static_cast<int64_t>(timings_.return_interval) * (is_one ? 1 : step.registers);
  return_free_[sub_core] = std::max(std::max(first, return_free_[sub_core]) + moved, first + wavefronts);
  return return_free_[sub_core];
}

void MemoryPipe::serve(int sub_core, int64_t now) {
  const Request request = queues_[sub_core].front();
  queues_[sub_core].pop_front();
  const Step& step = *request.step;
  const int wavefronts = step.unit == Unit::shuffle ? static_cast<int>(timings_.shuffle_wavefronts)
                         : step.unit == Unit::copy  ? static_cast<int>(timings_.copy_wavefronts)
                         : step.unit == Unit::local ? 1
                                                    : std::max<int>(1, step.wavefronts);
  occupy(now, wavefronts, sub_core, &step);
  next_request_[sub_core] = now + static_cast<int64_t>(timings_.queue_interval);
  if (step.read_barrier >= 0) {
    events_.add(now + static_cast<int64_t>(timings_.read_latency), request.warp, Event::Kind::release,
                step.read_barrier);
  }
  int64_t done = now + wavefronts;
  if (step.unit == Unit::ldmatrix || step.unit == Unit::shared_load || step.unit == Unit::shuffle ||
      step.unit == Unit::local) {
    done = returned(sub_core, step, wavefronts, now);
  }
  if (step.unit == Unit::global_load) done = now + static_cast<int64_t>(timings_.l2_latency);
  if (step.unit == Unit::copy) {
    const double mean = step.is_first_touch ? timings_.dram_latency : timings_.l2_latency;
    const double latency = mean * (1 + timings_.l2_spread * (2 * spread_.next() - 1));
    const double bytes = step.is_first_touch ? timings_.dram_bytes : timings_.l2_bytes;
    l2_free_ = std::max(static_cast<double>(now) + latency, l2_free_) + copied_bytes / bytes;
    events_.add(static_cast<int64_t>(l2_free_), request.warp, Event::Kind::fill);
  }
  if (step.write_barrier >= 0) events_.add(done, request.warp, Event::Kind::release, step.write_barrier);
}

int64_t MemoryPipe::next(int64_t now, int64_t otherwise) const {
  if (!fills_.empty()) return std::max(now + 1, free_);
  int64_t next = otherwise;
  for (int k = 0; k < 4; k++) {
    if (queues_[k].empty()) continue;
    next = std::min(next, std::max({now + 1, free_, queues_[k].front().ready, next_request_[k]}));
  }
  return next;
}

}  // namespace flash_steps
