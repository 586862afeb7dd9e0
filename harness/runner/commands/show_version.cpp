#include <iostream>

#include "harness/results/meta.h"
#include "harness/runner/commands/commands.h"

namespace flash_steps {

int show_version() {
  const Meta meta = make_meta({}, {});
  std::cout << "flash-steps " FLASH_STEPS_VERSION;
  if (meta.git)
    std::cout << " (" << meta.git->substr(0, 12) << (meta.dirty.value_or(false) ? ", with changes" : "") << ")";
  std::cout << ", built with " << meta.compiler << (meta.cuda ? ", CUDA " + *meta.cuda : " for the emulator alone")
            << "\n";
  return 0;
}

}  // namespace flash_steps
