#include "harness/emulator/fiber.h"

#include <boost/context/protected_fixedsize_stack.hpp>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define FLASH_STEPS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FLASH_STEPS_ASAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

#ifdef FLASH_STEPS_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace flash_steps::emulator {
namespace {

// A fiber leaves its last frames by a jump, so that AddressSanitizer still has their bounds marked when a new stack
// gets the same addresses.
void announce_stack([[maybe_unused]] const void* bottom, [[maybe_unused]] size_t bytes) {
#ifdef FLASH_STEPS_ASAN
  __asan_unpoison_memory_region(bottom, bytes);
#endif
}

void finish_switch([[maybe_unused]] void* saved_fake_stack, [[maybe_unused]] const void** from_bottom,
                   [[maybe_unused]] size_t* from_bytes) {
#ifdef FLASH_STEPS_ASAN
  __sanitizer_finish_switch_fiber(saved_fake_stack, from_bottom, from_bytes);
#endif
}

// ThreadSanitizer takes each fiber for a thread.
void* new_thread() {
#ifdef __SANITIZE_THREAD__
  return __tsan_create_fiber(0);
#else
  return nullptr;
#endif
}

void* this_thread() {
#ifdef __SANITIZE_THREAD__
  return __tsan_get_current_fiber();
#else
  return nullptr;
#endif
}

void end_thread([[maybe_unused]] void* thread) {
#ifdef __SANITIZE_THREAD__
  __tsan_destroy_fiber(thread);
#endif
}

// Stacks of fibers that are gone are kept for those to come, for mapping one and giving it back takes longer than many
// a lane runs. As an allocator of Boost.
class Stacks {
 public:
  boost::context::stack_context allocate() {
    const std::lock_guard lock(unused().mutex);
    std::vector<boost::context::stack_context>& stacks = unused().stacks;
    if (stacks.empty()) return boost::context::protected_fixedsize_stack(Fiber::stack_bytes).allocate();
    const boost::context::stack_context stack = stacks.back();
    stacks.pop_back();
    return stack;
  }

  void deallocate(boost::context::stack_context& stack) noexcept {
    const std::lock_guard lock(unused().mutex);
    unused().stacks.push_back(stack);
  }

 private:
  struct Unused {
    std::mutex mutex;
    std::vector<boost::context::stack_context> stacks;
  };

  static Unused& unused() {
    static Unused of_all_threads;
    return of_all_threads;
  }
};

}  // namespace

void Fiber::announce_switch([[maybe_unused]] void** saved_fake_stack, [[maybe_unused]] const Stack& to) {
#ifdef FLASH_STEPS_ASAN
  __sanitizer_start_switch_fiber(saved_fake_stack, to.bottom, to.bytes);
#endif
#ifdef __SANITIZE_THREAD__
  __tsan_switch_to_fiber(to.thread, 0);
#endif
}

Fiber::Fiber(std::function<void()> body) : body_(std::move(body)) {
  Stacks allocator;
  const boost::context::stack_context stack = allocator.allocate();
  own_stack_.bottom = static_cast<std::byte*>(stack.sp) - stack.size;
  own_stack_.bytes = stack.size;
  own_stack_.thread = new_thread();
  announce_stack(own_stack_.bottom, own_stack_.bytes);
  fiber_ = boost::context::fiber(std::allocator_arg, boost::context::preallocated(stack.sp, stack.size, stack),
                                 allocator, [this](boost::context::fiber&& owner) {
                                   finish_switch(nullptr, &owner_stack_.bottom, &owner_stack_.bytes);
                                   owner_ = std::move(owner);
                                   body_();
                                   announce_switch(nullptr, owner_stack_);
                                   return std::move(owner_);
                                 });
}

Fiber::~Fiber() { end_thread(own_stack_.thread); }

void Fiber::resume() {
  owner_stack_.thread = this_thread();
  announce_switch(&owner_stack_.fake_stack, own_stack_);
  fiber_ = std::move(fiber_).resume();
  finish_switch(owner_stack_.fake_stack, nullptr, nullptr);
}

void Fiber::suspend() {
  announce_switch(&own_stack_.fake_stack, owner_stack_);
  owner_ = std::move(owner_).resume();
  finish_switch(own_stack_.fake_stack, &owner_stack_.bottom, &owner_stack_.bytes);
}

}  // namespace flash_steps::emulator
