// Whether this build has the GPU backend, and machine code to be read.
#pragma once

namespace flash_steps {

#ifdef FLASH_STEPS_CUDA
constexpr bool has_cuda = true;
#else
constexpr bool has_cuda = false;
#endif

}  // namespace flash_steps
