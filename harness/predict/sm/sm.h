// One SM, cycle by cycle: four sub-cores with a scheduler, an operand file and arithmetic units each, and the way to
// shared memory that they share. Warps of several CTAs are resident; when one CTA ends, the next takes its place.
#pragma once

#include "harness/predict/sm/schedule.h"
#include "harness/predict/sm/stalls.h"
#include "harness/predict/sm/timings.h"

namespace flash_steps {

/// Sees what is issued, for pictures.
class Recorder {
 public:
  virtual ~Recorder() = default;
  /// `slot`: the place of the CTA among those that are resident. `until`: when the unit is free again.
  virtual void issued(int64_t now, int64_t until, int slot, int warp, int cta, const Step& step) = 0;
};

/// Runs `ctas` CTAs, `resident` at a time.
SmRun run_sm(const SmTimings& timings, const Schedule& schedule, int resident, int ctas, Recorder* recorder = nullptr);

}  // namespace flash_steps
