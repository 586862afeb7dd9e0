// Work spread over threads.
#pragma once

#include <cstdint>
#include <functional>

namespace flash_steps {

/// The cores of this machine, one at least.
int cores();

/// Calls work(worker) once for each worker below `workers`, each on a thread of its own, worker 0 on the calling one.
/// Where the system gives fewer threads, the last workers are left out: work must not depend on their number. Waits for
/// all, and then throws what the worker of the lowest number threw, if any did.
void on_workers(int workers, const std::function<void(int worker)>& work);

/// Calls work(i) for each i below count, spread over up to `threads` threads (0: one a core). After an exception no
/// further i is begun; then the exception is thrown here, that of the lowest i that threw.
void in_parallel(int64_t count, int threads, const std::function<void(int64_t i)>& work);

}  // namespace flash_steps
