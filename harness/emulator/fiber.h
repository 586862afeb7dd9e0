// A function that can stop in the middle and go on later, on a stack of its own.
#pragma once

#include <boost/context/fiber.hpp>
#include <cstddef>
#include <functional>

namespace flash_steps::emulator {

/// Resumed by its owner, always on the same OS thread; suspends itself. The stack ends in a guard page, so that a
/// kernel that needs more than stack_bytes dies instead of overwriting its neighbour.
class Fiber {
 public:
  static constexpr size_t stack_bytes = 256 * 1024;

  explicit Fiber(std::function<void()> body);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Runs the body until it suspends or returns. The body must have returned before the fiber is destroyed.
  void resume();

  /// Goes back to resume(); called by the body.
  void suspend();

 private:
  // The sanitizers must be told of each change of stacks.
  struct Stack {
    const void* bottom = nullptr;
    size_t bytes = 0;
    void* fake_stack = nullptr;  // of AddressSanitizer
    void* thread = nullptr;      // of ThreadSanitizer
  };
  static void announce_switch(void** saved_fake_stack, const Stack& to);

  std::function<void()> body_;
  Stack own_stack_;
  Stack owner_stack_;
  boost::context::fiber fiber_;  // of the body while the owner runs
  boost::context::fiber owner_;  // of the owner while the body runs
};

}  // namespace flash_steps::emulator
