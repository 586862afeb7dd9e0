// Loads site_text.so: see text/tools.h.
#pragma once

#include "harness/site/text/tools.h"

namespace flash_steps {

/// Whether this build has them.
bool has_text_tools();

/// Throws MachineError where they are not built.
const TextTools& text_tools();

}  // namespace flash_steps
