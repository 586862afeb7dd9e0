// One SM, cycle by cycle: four sub-cores with a scheduler, an operand file and arithmetic units each, and the way to
// shared memory that they share. Warps of several CTAs are resident; when one CTA ends, the next takes its place.
#pragma once

#include "harness/predict/sm/recorder.h"
#include "harness/predict/sm/schedule.h"
#include "harness/predict/sm/stalls.h"
#include "harness/predict/sm/timings.h"

namespace flash_steps {

/// Runs `ctas` CTAs, `resident` at a time.
SmRun run_sm(const SmTimings& timings, const Schedule& schedule, int resident, int ctas, Recorder* recorder = nullptr);

}  // namespace flash_steps
