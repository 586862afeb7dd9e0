// Stands for the GPU in a build without CUDA.
#include <filesystem>

#include "harness/base/error.h"
#include "harness/machine/machine.h"

namespace flash_steps {

std::unique_ptr<Machine> make_gpu() {
  const std::string reason = "this build has no CUDA; --device=emulator or a build on a machine with nvcc would work";
  std::error_code error;
  if (std::filesystem::exists("/dev/nvidia0", error)) throw MachineError(reason);  // it could be used, and is not
  throw NoGpu(reason);
}

}  // namespace flash_steps
