#include "harness/emulator/lane.h"

#include <stdexcept>
#include <string>

namespace flash_steps::emulator {
namespace {

// Unwinds a lane that is given up.
struct Cancelled {};

constinit thread_local Lane* running_lane = nullptr;

}  // namespace

void perform(const Operation& operation) {
  if (running_lane == nullptr) {
    throw std::logic_error(std::string(name_of(operation.word)) +
                           " was called outside of a kernel; words run in emulator::launch alone");
  }
  running_lane->park(operation);
}

Lane::Lane(const std::function<void()>& thread_body) : thread_body_(thread_body), fiber_([this] { live(); }) {}

Lane::~Lane() {
  retired_ = true;
  fiber_.resume();
}

void Lane::begin_cta() {
  begun_ = false;
  exited_ = false;
  cancelled_ = false;
  error_ = nullptr;
}

void Lane::resume() {
  begun_ = true;
  running_lane = this;
  fiber_.resume();
  running_lane = nullptr;
}

void Lane::cancel() {
  if (!begun_ || exited_) return;
  cancelled_ = true;
  resume();
}

void Lane::park(const Operation& operation) {
  // A destructor that calls a word while the lane is unwound must not be waited for.
  if (cancelled_) return;
  operation_ = &operation;
  fiber_.suspend();
  if (cancelled_) throw Cancelled{};
}

void Lane::live() {
  while (!retired_) {
    try {
      thread_body_();
    } catch (const Cancelled&) {
    } catch (...) {
      error_ = std::current_exception();
    }
    exited_ = true;
    fiber_.suspend();
  }
}

}  // namespace flash_steps::emulator
