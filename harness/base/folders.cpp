#include "harness/base/folders.h"

namespace flash_steps {

std::filesystem::path source_folder() { return FLASH_STEPS_SOURCE_DIR; }

std::filesystem::path build_folder() { return FLASH_STEPS_BUILD_DIR; }

}  // namespace flash_steps
