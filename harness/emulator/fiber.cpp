#include "harness/emulator/fiber.h"

#include <boost/context/protected_fixedsize_stack.hpp>
#include <memory>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define FLASH_STEPS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FLASH_STEPS_ASAN 1
#endif
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

void announce_switch([[maybe_unused]] void** saved_fake_stack, [[maybe_unused]] const void* to_bottom,
                     [[maybe_unused]] size_t to_bytes) {
#ifdef FLASH_STEPS_ASAN
  __sanitizer_start_switch_fiber(saved_fake_stack, to_bottom, to_bytes);
#endif
}

void finish_switch([[maybe_unused]] void* saved_fake_stack, [[maybe_unused]] const void** from_bottom,
                   [[maybe_unused]] size_t* from_bytes) {
#ifdef FLASH_STEPS_ASAN
  __sanitizer_finish_switch_fiber(saved_fake_stack, from_bottom, from_bytes);
#endif
}

}  // namespace

Fiber::Fiber(std::function<void()> body) : body_(std::move(body)) {
  boost::context::protected_fixedsize_stack allocator(stack_bytes);
  const boost::context::stack_context stack = allocator.allocate();
  own_stack_.bottom = static_cast<std::byte*>(stack.sp) - stack.size;
  own_stack_.bytes = stack.size;
  announce_stack(own_stack_.bottom, own_stack_.bytes);
  fiber_ = boost::context::fiber(std::allocator_arg, boost::context::preallocated(stack.sp, stack.size, stack),
                                 allocator, [this](boost::context::fiber&& owner) {
                                   finish_switch(nullptr, &owner_stack_.bottom, &owner_stack_.bytes);
                                   owner_ = std::move(owner);
                                   body_();
                                   announce_switch(nullptr, owner_stack_.bottom, owner_stack_.bytes);
                                   return std::move(owner_);
                                 });
}

void Fiber::resume() {
  announce_switch(&owner_stack_.fake_stack, own_stack_.bottom, own_stack_.bytes);
  fiber_ = std::move(fiber_).resume();
  finish_switch(owner_stack_.fake_stack, nullptr, nullptr);
}

void Fiber::suspend() {
  announce_switch(&own_stack_.fake_stack, owner_stack_.bottom, owner_stack_.bytes);
  owner_ = std::move(owner_).resume();
  finish_switch(own_stack_.fake_stack, &owner_stack_.bottom, &owner_stack_.bytes);
}

}  // namespace flash_steps::emulator
