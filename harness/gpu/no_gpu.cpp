// Stands for the GPU backend in a build without CUDA.
#include "harness/machine/backend.h"

namespace flash_steps {

std::unique_ptr<Backend> make_gpu() {
  throw MachineError("this build has no CUDA; --device=emulator or a build on a machine with nvcc would work");
}

}  // namespace flash_steps
