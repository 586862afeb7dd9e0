#include "harness/predict/sm/stalls.h"

namespace flash_steps {

const char* name_of(Stall stall) {
  constexpr const char* names[] = {"issued",       "fixed latency", "shared memory", "MUFU",
                                   "copies",       "barrier",       "tensor pipe",   "other pipes",
                                   "memory queue", "operand ports", "not selected",  "other"};
  return names[static_cast<int>(stall)];
}

Stall stall_for(Unit unit) {
  switch (unit) {
    case Unit::ldmatrix:
    case Unit::shared_load:
    case Unit::shared_store:
    case Unit::shuffle:
      return Stall::shared_memory;
    case Unit::mufu:
      return Stall::mufu;
    case Unit::commit:
    case Unit::copy:
      return Stall::copy;
    default:
      return Stall::other;
  }
}

}  // namespace flash_steps
