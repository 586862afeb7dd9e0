// Sees what an SM does, for pictures.
#pragma once

#include <cstdint>

#include "harness/predict/sm/schedule.h"

namespace flash_steps {

class Recorder {
 public:
  virtual ~Recorder() = default;
  /// A warp issued. `warp`: within its CTA. `slot`: the place of the CTA among those that are resident. `until`: when
  /// the unit is free again; of what goes to shared memory see served().
  virtual void issued(int64_t now, int64_t until, int slot, int warp, int cta, const Step& step) = 0;
  /// Shared memory served a request of a sub-core from `begin` to `end`; nullptr: it took in the data of a copy.
  virtual void served(int64_t begin, int64_t end, int sub_core, const Step* step) = 0;
};

}  // namespace flash_steps
