#include "harness/predict/sm/stalls.h"

namespace flash_steps {

const char* name_of(Stall stall) {
  constexpr const char* names[] = {"issued",       "fixed latency", "shared memory", "MUFU",
                                   "copies",       "barrier",       "tensor pipe",   "other pipes",
                                   "memory queue", "operand ports", "not selected",  "other"};
  return names[static_cast<int>(stall)];
}

}  // namespace flash_steps
