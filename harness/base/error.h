// What can go wrong, by the exit code of the runner.
#pragma once

#include <stdexcept>

namespace flash_steps {

/// A kernel is wrong: it gave a wrong result, or ended its own launch. Exit code 1.
struct KernelError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The command line was wrong, or a file that it names. Exit code 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The machine cannot do it: no GPU, too old, no such driver, no such program. Exit code 3.
struct MachineError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// There is no GPU, or nothing that this build could use one with. Exit code 3.
struct NoGpu : MachineError {
  using MachineError::MachineError;
};

/// Its memory does not suffice. Exit code 3.
struct OutOfMemory : MachineError {
  using MachineError::MachineError;
};

}  // namespace flash_steps
