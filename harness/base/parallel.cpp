#include "harness/base/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace flash_steps {
namespace {

// Of several exceptions the one that a single thread would have met first.
class FirstError {
 public:
  void note(int64_t number) {
    const std::lock_guard lock(mutex_);
    if (error_ && number_ < number) return;
    error_ = std::current_exception();
    number_ = number;
    any_ = true;
  }

  bool any() const { return any_; }

  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr error_;
  int64_t number_ = 0;
  std::atomic<bool> any_ = false;
};

}  // namespace

int cores() { return static_cast<int>(std::max(1u, std::thread::hardware_concurrency())); }

void on_workers(int workers, const std::function<void(int worker)>& work) {
  FirstError error;
  const auto guarded = [&](int worker) {
    try {
      work(worker);
    } catch (...) {
      error.note(worker);
    }
  };
  std::vector<std::thread> others;
  for (int worker = 1; worker < workers; worker++) {
    try {
      others.emplace_back(guarded, worker);
    } catch (const std::system_error&) {
      break;  // a limit on threads or on memory: those that there are do all the work
    }
  }
  guarded(0);
  for (std::thread& thread : others) thread.join();
  error.rethrow();
}

void in_parallel(int64_t count, int threads, const std::function<void(int64_t i)>& work) {
  FirstError error;
  std::atomic<int64_t> next = 0;
  const int64_t workers = std::min<int64_t>(threads > 0 ? threads : cores(), count);
  on_workers(static_cast<int>(std::max<int64_t>(workers, 1)), [&](int) {
    for (int64_t i; !error.any() && (i = next++) < count;) {
      try {
        work(i);
      } catch (...) {
        error.note(i);
      }
    }
  });
  error.rethrow();
}

}  // namespace flash_steps
