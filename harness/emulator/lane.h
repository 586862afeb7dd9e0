// One lane: a thread of a kernel, which runs until it comes to a word.
#pragma once

#include <exception>
#include <functional>

#include "harness/emulator/fiber.h"
#include "harness/emulator/words/operation.h"

namespace flash_steps::emulator {

/// A thread of the CTA. Its fiber outlives the CTA: it runs the same lane of the next one.
class Lane {
 public:
  explicit Lane(const std::function<void()>& thread_body);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  ~Lane();

  void begin_cta();

  /// Runs the lane to its next word or to its end.
  void resume();

  /// Unwinds the thread body from the word where it is parked.
  void cancel();

  /// Parks the lane with an operation; called by the lane itself.
  void park(const Operation& operation);

  bool exited() const { return exited_; }
  const Operation& operation() const { return *operation_; }

  /// What the thread body threw, if it threw.
  const std::exception_ptr& error() const { return error_; }

 private:
  void live();

  const std::function<void()>& thread_body_;
  const Operation* operation_ = nullptr;
  std::exception_ptr error_;
  bool begun_ = false;
  bool exited_ = true;
  bool cancelled_ = false;
  bool retired_ = false;
  Fiber fiber_;
};

}  // namespace flash_steps::emulator
